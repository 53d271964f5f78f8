import { checkInteger, finiteArray } from "./errors.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { modeBlocks } from "./mode-blocks.js";
import { modeStep } from "./response.js";
import { resolveDynamics, type SgdSettings } from "./settings.js";

/**
 * The exact expected loss E[‖z_t‖²]/(2N) of SGD on a linear system, t = 0 … steps, from the recursion of the full second moment
 *
 *     Σ' = (I−ηΘ)Σ(I−ηΘ) + η²[(κ−1) ΘΣΘ + c Θ bd(Σ) Θ]
 *
 * and its form for momentum on E[(z_t, z_{t−1})(…)ᵀ], with the noise of the look-ahead's moment for Nesterov's; the run starts at rest, z₋₁ = z₀. Two half matrix products a step. Weight
 * decay pulls towards z = 0: the (1+m−ηδ)I − ηΘ of docs/theory/setting.md.
 *
 * @param residual z₀ = f − y, [N·C]
 * @returns [steps + 1]; `Infinity` from where it overflows
 * @throws TheoryRangeError or TheoryTypeError for settings out of range or a residual of another length
 */
export function expectedLoss(
  system: LinearSystem,
  residual: ArrayLike<number>,
  settings: SgdSettings,
  steps: number,
): Float64Array {
  const where = "expectedLoss";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  const { learningRate, momentum: m, nesterov, kappa, c } = dynamics;
  const { mean, outside } = splitResidual(where, system, residual);
  checkInteger(where, "steps", steps, 0);
  const { examples, outputs, size, rank, eigenvalues } = system;

  const gain = eigenvalues.map((lambda) => modeStep(lambda, dynamics).gain);
  const lag = eigenvalues.map((lambda) => modeStep(lambda, dynamics).lag);
  const kick = eigenvalues.map((lambda) => learningRate * lambda);
  const outsideStep = modeStep(0, dynamics);
  // The noise is made where gradients are taken: at z, or at the look-ahead z + ahead·(z − z₋).
  const ahead = nesterov ? m : 0;
  // S = E[a aᵀ] and D = E[a₋a₋ᵀ], upper triangles; X = E[a a₋ᵀ]. a = Vᵀz.
  let second = new Float64Array(rank * rank);
  for (let mu = 0; mu < rank; mu++) for (let nu = 0; nu < rank; nu++) second[mu * rank + nu] = mean[mu]! * mean[nu]!;
  const crossed = m > 0 ? second.slice() : second;
  let before = m > 0 ? second.slice() : second;
  let meanBefore = mean.slice();
  let meanNow = mean.slice();
  let outsideNow = 1;
  let outsideBefore = 1;
  let outsideSquare = 0;
  for (const x of outside) outsideSquare += x * x;

  const { toModes, toBlocks } = modeBlocks(system);
  const seen = ahead > 0 ? new Float64Array(rank * rank) : null;
  const half = new Float64Array(rank * rank);
  const noise = new Float64Array(rank * rank);
  const blocks = new Float64Array(examples * outputs * outputs);
  const losses = new Float64Array(steps + 1);
  for (let step = 0; ; step++) {
    let trace = 0;
    for (let mu = 0; mu < rank; mu++) trace += second[mu * rank + mu]!;
    losses[step] = (trace + outsideNow ** 2 * outsideSquare) / (2 * examples);
    if (!Number.isFinite(losses[step]!)) return losses.fill(Infinity, step);
    if (step === steps) return losses;

    const source = seen === null ? second : lookAhead(seen, second, crossed, before, ahead, rank);
    if (c > 0) {
      half.set(source);
      for (let mu = 0; mu < rank; mu++) half[mu * rank + mu]! *= 0.5;
      toBlocks(half, blocks);
      if (outsideSquare > 0) {
        const means = meanNow.map((a, mu) => a + ahead * (a - meanBefore[mu]!));
        addOutside(blocks, system, means, outside, outsideNow + ahead * (outsideNow - outsideBefore));
      }
      toModes(blocks, noise);
    }
    const next = m > 0 ? before : second; // the array of D is free once it has been read
    for (let mu = 0; mu < rank; mu++) {
      for (let nu = mu; nu < rank; nu++) {
        const at = mu * rank + nu;
        const now = second[at]!;
        let value = gain[mu]! * gain[nu]! * now + kick[mu]! * kick[nu]! * ((kappa - 1) * source[at]! + c * noise[at]!);
        if (m > 0) {
          const forth = crossed[at]!; // E[a_μ a₋ν]
          const back = crossed[nu * rank + mu]!; // E[a_ν a₋μ]
          value += lag[mu]! * lag[nu]! * before[at]! - gain[mu]! * lag[nu]! * forth - gain[nu]! * lag[mu]! * back;
          crossed[at] = gain[mu]! * now - lag[mu]! * back;
          crossed[nu * rank + mu] = gain[nu]! * now - lag[nu]! * forth;
        }
        next[at] = value;
      }
    }
    if (m > 0) [second, before] = [next, second];
    if (outsideSquare > 0) {
      const meanNext = meanNow.map((a, mu) => gain[mu]! * a - lag[mu]! * meanBefore[mu]!);
      [meanBefore, meanNow] = [meanNow, meanNext];
      [outsideBefore, outsideNow] = [outsideNow, outsideStep.gain * outsideNow - outsideStep.lag * outsideBefore];
    }
  }

  /** What the part of z outside Θ's range, which is not random, adds to bd(Σ): its square and its product with E[Va]. */
  function addOutside(
    target: Float64Array,
    { modes }: LinearSystem,
    means: Float64Array,
    fixed: Float64Array,
    factor: number,
  ): void {
    const inside = new Float64Array(size);
    for (let i = 0; i < size; i++) for (let mu = 0; mu < rank; mu++) inside[i]! += modes[i * rank + mu]! * means[mu]!;
    for (let i = 0; i < examples; i++) {
      for (let a = 0; a < outputs; a++) {
        for (let b = 0; b < outputs; b++) {
          const [row, column] = [i * outputs + a, i * outputs + b];
          target[row * outputs + b]! +=
            factor *
            (inside[row]! * fixed[column]! + fixed[row]! * inside[column]! + factor * fixed[row]! * fixed[column]!);
        }
      }
    }
  }
}

/** E[w wᵀ], its upper triangle, for w = a + ahead·(a − a₋), from E[a aᵀ], E[a a₋ᵀ] and E[a₋a₋ᵀ]. */
function lookAhead(
  target: Float64Array,
  second: Float64Array,
  crossed: Float64Array,
  before: Float64Array,
  ahead: number,
  rank: number,
): Float64Array {
  for (let mu = 0; mu < rank; mu++) {
    for (let nu = mu; nu < rank; nu++) {
      const at = mu * rank + nu;
      const mixed = crossed[at]! + crossed[nu * rank + mu]!;
      target[at] = (1 + ahead) ** 2 * second[at]! - ahead * (1 + ahead) * mixed + ahead * ahead * before[at]!;
    }
  }
  return target;
}

/** The residual's components along the modes, Vᵀz [rank], and what is left of it outside Θ's range, [N·C] (zero at full rank). */
export function splitResidual(where: string, { size, rank, modes }: LinearSystem, residual: unknown) {
  const given = finiteArray(where, "residual", residual, size, "examples × outputs");
  const mean = new Float64Array(rank);
  for (let i = 0; i < size; i++) for (let mu = 0; mu < rank; mu++) mean[mu]! += modes[i * rank + mu]! * given[i]!;
  const outside = new Float64Array(size);
  if (rank < size) {
    for (let i = 0; i < size; i++) {
      let inside = 0;
      for (let mu = 0; mu < rank; mu++) inside += modes[i * rank + mu]! * mean[mu]!;
      outside[i] = given[i]! - inside;
    }
  }
  return { mean, outside };
}
