import { checkInteger } from "./errors.js";
import { splitResidual } from "./expected-loss.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { overlapMatrix } from "./mode-overlaps.js";
import { modeStep } from "./response.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";

/**
 * Expected loss in the diagonal approximation, t = 0 … steps: s' = (A + B)s for s = diag(VᵀΣV), A = (1−p)² + η²(κ−1)λ²,
 * B_μν = η²c λ_μ C_μν λ_μ, off-diagonal second moments dropped. A residual outside Θ's range counts as one more mode, which never
 * moves. It decays for every start iff `diagonalNoiseKernel` is below 1.
 *
 * @param residual z₀, [N·C]
 * @returns [steps + 1]; `Infinity` from where it overflows
 * @throws TheoryRangeError or TheoryTypeError for settings out of range or a residual of another length
 */
export function diagonalLoss(
  system: LinearSystem,
  residual: ArrayLike<number>,
  settings: SgdSettings,
  steps: number,
): Float64Array {
  const where = "diagonalLoss";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  const { mean, outside } = splitResidual(where, system, residual);
  checkInteger(where, "steps", steps, 0);
  const { examples, outputs, size, rank, eigenvalues, modes } = system;
  const rest = Math.hypot(...outside);
  const count = rest > 0 ? rank + 1 : rank;
  const lambdas = new Float64Array(count);
  lambdas.set(eigenvalues);
  const starts = new Float64Array(count);
  mean.forEach((a, mu) => (starts[mu] = a * a));
  let columns = modes;
  if (rest > 0) {
    starts[rank] = rest * rest;
    columns = new Float64Array(size * count);
    for (let i = 0; i < size; i++) {
      columns.set(modes.subarray(i * rank, (i + 1) * rank), i * count);
      columns[i * count + rank] = outside[i]! / rest;
    }
  }
  const overlaps = overlapMatrix(columns, examples, outputs, count);
  const moments = modeMoments(lambdas, dynamics, starts);
  const losses = new Float64Array(steps + 1);
  const noise = new Float64Array(count);
  for (let step = 0; ; step++) {
    let trace = 0;
    for (const s of moments.now) trace += s;
    losses[step] = trace / (2 * examples);
    if (!Number.isFinite(losses[step]!)) return losses.fill(Infinity, step);
    if (step === steps) return losses;
    for (let mu = 0; mu < count; mu++) {
      let sum = 0;
      for (let nu = 0; nu < count; nu++) sum += overlaps[mu * count + nu]! * moments.seen[nu]!;
      noise[mu] = sum;
    }
    moments.step(noise);
  }
}

/**
 * Expected loss in the high-dimensional limit, t = 0 … steps, by the Volterra equation
 *
 *     ψ_t = h_t + Σ_{s<t} k_{t−1−s} ψ_s,   h_t = Σ_μ (1−p_μ)^{2t} (v_μ·z₀)²/(2N),   k_t = (η²c/NC) Σ_μ λ_μ² (1−p_μ)^{2t}
 *
 * (for momentum the squares of the corresponding solutions). Paquette et al. 2021. Σ_t k_t = K_highDim: hence a kernel norm. With
 * Nesterov's momentum the equation is that of the loss at the look-ahead, from which the loss follows by one more sum.
 *
 * @param residual z₀, [N·C]
 * @returns [steps + 1]; `Infinity` from where it overflows. Time O(steps² + steps · rank).
 * @throws TheoryRangeError or TheoryTypeError for settings out of range or a residual of another length
 */
export function volterraLoss(
  system: LinearSystem,
  residual: ArrayLike<number>,
  settings: SgdSettings,
  steps: number,
): Float64Array {
  const where = "volterraLoss";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  const { mean, outside } = splitResidual(where, system, residual);
  checkInteger(where, "steps", steps, 0);
  const { examples } = system;
  const { feedback, remainder } = volterraKernel(system, dynamics, steps);
  const starts = mean.map((a) => a * a);
  const decays = modeMoments(system.eigenvalues, dynamics, starts);
  const fixed = modeMoments(new Float64Array(1), dynamics, Float64Array.of(outside.reduce((sum, x) => sum + x * x, 0)));
  const none = new Float64Array(system.rank);
  const losses = new Float64Array(steps + 1);
  const seen = dynamics.nesterov ? new Float64Array(steps + 1) : losses; // the loss where gradients are taken
  for (let step = 0; step <= steps; step++) {
    const total = (moments: Float64Array, start: number): number => moments.reduce((sum, s) => sum + s, start);
    const after = (kernel: Float64Array): number => {
      let sum = 0;
      for (let s = 0; s < step; s++) sum += kernel[step - 1 - s]! * seen[s]!;
      return sum;
    };
    seen[step] = total(decays.seen, fixed.seen[0]!) / (2 * examples) + after(feedback);
    if (dynamics.nesterov) losses[step] = total(decays.now, fixed.now[0]!) / (2 * examples) + after(remainder);
    if (!Number.isFinite(losses[step]!)) return losses.fill(Infinity, step);
    decays.step(none);
    fixed.step(none);
  }
  return losses;
}

/**
 * The kernels of the Volterra equation, t = 0 … steps − 1: what the noise of one step leaves t + 1 steps later in the loss where
 * gradients are taken, k_t, and in the loss. They differ with Nesterov's momentum only.
 */
export function volterraKernel(system: LinearSystem, dynamics: Dynamics, steps: number) {
  const { eigenvalues, size, rank } = system;
  const kicks = eigenvalues.map((lambda) => (dynamics.c * (dynamics.learningRate * lambda) ** 2) / size);
  const moments = modeMoments(eigenvalues, dynamics, kicks, "kicked");
  const none = new Float64Array(rank);
  const feedback = new Float64Array(steps);
  const remainder = new Float64Array(steps);
  for (let t = 0; t < steps; t++) {
    for (const s of moments.seen) feedback[t]! += s;
    for (const s of moments.now) remainder[t]! += s;
    moments.step(none);
  }
  return { feedback, remainder };
}

/**
 * Second moments of independent modes, E[a²] with E[a a₋] and E[a₋²] beside it, stepped under z' = gain z − lag z₋ + noise. The noise
 * of a step is η²λ²((κ−1)E[w²] + c·noise); w is where gradients are taken, and `seen` its moment: a, or a + m(a − a₋).
 *
 * @param starts E[a²] at the beginning
 * @param from "rest": a₋ = a; "kicked": a₋ = 0, the state after a kick
 */
function modeMoments(
  lambdas: Float64Array,
  dynamics: Dynamics,
  starts: Float64Array,
  from: "rest" | "kicked" = "rest",
) {
  const { learningRate, momentum, nesterov, kappa, c } = dynamics;
  const now = starts.slice();
  const crossed = from === "rest" ? starts.slice() : new Float64Array(starts.length);
  const before = crossed.slice();
  const seen = nesterov ? new Float64Array(starts.length) : now;
  const look = (): void => {
    if (!nesterov) return;
    for (let mu = 0; mu < now.length; mu++) {
      const [a, b, d] = [now[mu]!, crossed[mu]!, before[mu]!];
      seen[mu] = (1 + momentum) ** 2 * a - 2 * momentum * (1 + momentum) * b + momentum * momentum * d;
    }
  };
  look();
  return {
    now,
    seen,
    step(noise: Float64Array): void {
      for (let mu = 0; mu < now.length; mu++) {
        const { gain, lag } = modeStep(lambdas[mu]!, dynamics);
        const kick = (learningRate * lambdas[mu]!) ** 2 * ((kappa - 1) * seen[mu]! + c * noise[mu]!);
        const [a, b, d] = [now[mu]!, crossed[mu]!, before[mu]!];
        now[mu] = gain * gain * a - 2 * gain * lag * b + lag * lag * d + kick;
        crossed[mu] = gain * a - lag * b;
        before[mu] = a;
      }
      look();
    },
  };
}
