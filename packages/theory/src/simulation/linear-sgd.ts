import { createRandom, multiplyInto, type Random } from "@sedge/linalg";
import { checkNumber, finiteArray } from "../errors.js";
import { checkSystem, type LinearSystem } from "../linear-system.js";
import type { Sampling } from "../sampling.js";
import { resolveDynamics, type SgdSettings } from "../settings.js";
import { batches } from "./batches.js";
import type { RowSteps } from "./row-steps.js";
import { rowSteps, type DrawingRowSteps } from "./row-steps-wasm.js";
import { overSeeds, PAUSE, planRun, type SimulationOptions } from "./run-plan.js";

export interface LinearSgdOptions extends SimulationOptions {
  /** Standard deviation of Gaussian noise put on a label afresh each time it is drawn; the loss is that of the clean labels. Default 0. */
  readonly labelNoise?: number | undefined;
}

export interface LinearSgdSimulation {
  /** The steps recorded, and the seeds run. */
  readonly recordAt: readonly number[];
  readonly seeds: readonly number[];
  /** ‖z_t‖²/(2N), [seeds, records] row-major. `Infinity` from where a seed overflows. */
  readonly losses: Float64Array;
  /** Over seeds, [records]. Past the stochastic edge the mean is carried by rare seeds, and its error is not to be trusted. */
  readonly mean: Float64Array;
  readonly standardError: Float64Array;
  /** The last residual of each seed, [seeds, N·C]. */
  readonly residuals: Float64Array;
}

/**
 * SGD on a linear system for many seeds: z ← z − (η/B) Σ_{i in batch} J J_iᵀ z_i, touching the B sampled columns of J Jᵀ and nothing
 * else, O(N·C·B·C) a step; momentum of either kind. Its mean over seeds is `expectedLoss`.
 *
 * For one system the same on every platform to the last bit, and for each seed whatever the others are. Where sampling is
 * "epoch-shuffle", the last N mod B examples of an epoch are passed over. A run starts at rest; weight decay pulls towards z = 0.
 *
 * @param residual z₀ = f − y, [N·C]
 * @throws TheoryRangeError or TheoryTypeError for anything out of range; the signal's reason if aborted
 */
export function simulateLinearSgd(
  system: LinearSystem,
  residual: ArrayLike<number>,
  settings: Omit<SgdSettings, "population">,
  options: LinearSgdOptions,
): LinearSgdSimulation {
  const where = "simulateLinearSgd";
  checkSystem(where, system);
  const { examples, outputs, size } = system;
  const { momentum, nesterov, weightDecay, learningRate, batchSize } = resolveDynamics(where, examples, {
    ...settings,
    population: undefined,
  });
  const start = finiteArray(where, "residual", residual, size, "examples × outputs");
  const plan = planRun(where, options);
  const { labelNoise = 0 } = options;
  checkNumber(where, "labelNoise", labelNoise, (x) => x >= 0 && Number.isFinite(x), "a finite number of at least 0");

  const kernel = stepKernel(system, (-learningRate * examples) / batchSize);
  const steps = rowSteps(kernel, size, { momentum, nesterov, drag: learningRate * weightDecay });
  const records = plan.recordAt.length;
  const losses = new Float64Array(plan.seeds.length * records);
  const residuals = new Float64Array(plan.seeds.length * size);
  const streams = createRandom(options.seed);
  const sampling = settings.sampling ?? "without-replacement";
  plan.seeds.forEach((seed, index) => {
    const rng = streams.fork(seed);
    const noise = labelNoise > 0 ? rng.fork("labels") : null;
    const position = residuals.subarray(index * size, (index + 1) * size);
    steps.residual.set(start);
    steps.rest();
    const take = stepTaker(steps, sampling, { examples, outputs, batchSize }, rng.fork("batches"), noise, labelNoise);
    let step = 0;
    let loss = 0;
    const advanceTo = (target: number): void => {
      while (step < target) {
        const count = Math.min(PAUSE, target - step);
        if (Number.isFinite(loss)) take(count);
        step += count;
        plan.advance(count);
      }
    };
    plan.recordAt.forEach((at, k) => {
      advanceTo(at);
      steps.read(position);
      loss = halfMeanSquare(position, examples);
      losses[index * records + k] = loss;
    });
    advanceTo(plan.steps);
    steps.read(position);
  });
  const { recordAt, seeds } = plan;
  return { recordAt, seeds, losses, ...overSeeds(losses, seeds.length, records), residuals };
}

/** What takes the next so many steps of a seed. */
function stepTaker(
  steps: RowSteps | DrawingRowSteps,
  sampling: Sampling,
  { examples, outputs, batchSize }: { examples: number; outputs: number; batchSize: number },
  rng: Random,
  noise: Random | null,
  labelNoise: number,
): (count: number) => void {
  if ("drawing" in steps && noise === null && (sampling === "with-replacement" || sampling === "without-replacement"))
    return steps.drawing(sampling, batchSize, outputs, rng);
  const { draw } = batches(sampling, examples, batchSize, rng);
  return (count) => {
    const drawn = draw(count);
    const rows = outputs === 1 ? drawn : expandRows(drawn, outputs);
    steps.advance(rows.examples, rows.counts, noise && normals(noise, rows.examples.length, labelNoise));
  };
}

/** factor · Θ, [size, size], from its eigenpairs. */
function stepKernel({ size, rank, eigenvalues, modes }: LinearSystem, factor: number): Float64Array {
  const scaled = modes.map((entry, at) => factor * eigenvalues[at % rank]! * entry);
  const kernel = new Float64Array(size * size);
  if (rank > 0) multiplyInto(kernel, scaled, modes, { rows: size, inner: rank, columns: size, transposeB: true });
  return kernel;
}

/** The rows of an example's C outputs in place of the example. */
function expandRows({ examples, counts }: { examples: Int32Array; counts: Int32Array }, outputs: number) {
  const rows = new Int32Array(examples.length * outputs);
  for (let k = 0; k < examples.length; k++) {
    for (let a = 0; a < outputs; a++) rows[k * outputs + a] = examples[k]! * outputs + a;
  }
  return { examples: rows, counts: counts.map((count) => count * outputs) };
}

function normals(rng: Random, count: number, scale: number): Float64Array {
  const values = rng.normals(count);
  for (let i = 0; i < count; i++) values[i]! *= scale;
  return values;
}

function halfMeanSquare(residual: Float64Array, examples: number): number {
  let sum = 0;
  for (const z of residual) sum += z * z;
  const loss = sum / (2 * examples);
  return Number.isFinite(loss) ? loss : Infinity;
}
