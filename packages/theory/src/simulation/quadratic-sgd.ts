import { createRandom, lanczos, multiplyInto } from "@sedge/linalg";
import { checkInteger } from "../errors.js";
import { resolveDynamics, type SgdSettings } from "../settings.js";
import { batches } from "./batches.js";
import { checkModel, type QuadraticModel } from "./quadratic-model.js";
import { overSeeds, planRun, type RunPlan, type SimulationOptions } from "./run-plan.js";
import { slopes, type Slopes } from "./slopes.js";

export interface QuadraticSgdOptions extends SimulationOptions {
  /** Whether to record λ_max. Costs all D products Q_iθ of a seed at each recorded step. Default true. */
  readonly trackLambdaMax?: boolean | undefined;
}

export interface QuadraticSgdSimulation {
  readonly recordAt: readonly number[];
  readonly seeds: readonly number[];
  /** ‖z_t‖²/(2D), [seeds, records] row-major. `Infinity` from where a seed overflows. */
  readonly losses: Float64Array;
  /** λ_max of J_tJ_tᵀ/D, [seeds, records]: the sharpness of the Gauss–Newton matrix, 2/η on the deterministic edge. NaN if not tracked. */
  readonly lambdaMax: Float64Array;
  /** Over seeds, [records]. */
  readonly meanLoss: Float64Array;
  readonly standardErrorLoss: Float64Array;
  readonly meanLambdaMax: Float64Array;
  readonly standardErrorLambdaMax: Float64Array;
}

/** Relative accuracy of λ_max. */
const LAMBDA_ACCURACY = 1e-8;
/** Seeds whose Jacobians are held at a time, while λ_max is found. */
const OBSERVED_TOGETHER = 64;
/** Batches drawn at a time: enough that making arrays does not show. */
const DRAWN_TOGETHER = 32;
/** A run has diverged once its loss is this large: long before it overflows, and where no finite η would bring it back. */
const DIVERGED = 1e100;

/**
 * SGD on quadratic regression models for many seeds, in parameters: θ ← θ − (η/B) Σ_{i in batch} z_i(θ) J_i(θ). This is the recursion
 *
 *     z' = z − (η/B) J u + (η²/2B²) Q(u,u),   J' = J − (η/B) Q(u,·),   u = JᵀP_t z
 *
 * of docs/theory/quadratic-model.md, with B·P² operations a step in place of the D·P² of carrying J along.
 *
 * The trajectories are the same on every platform to the last bit, and for each seed whatever the others are.
 *
 * @param model one model for all seeds, which then differ by their batches, or the model of each seed
 * @throws TheoryRangeError or TheoryTypeError for anything out of range; the signal's reason if aborted
 */
export function simulateQuadraticModel(
  model: QuadraticModel | ((seed: number) => QuadraticModel),
  settings: Pick<SgdSettings, "learningRate" | "batchSize" | "sampling">,
  options: QuadraticSgdOptions,
): QuadraticSgdSimulation {
  const where = "simulateQuadraticModel";
  const plan = planRun(where, options);
  const { recordAt, seeds } = plan;
  const records = recordAt.length;
  const losses = new Float64Array(seeds.length * records);
  const lambdaMax = new Float64Array(seeds.length * records).fill(NaN);
  // Seeds that share a model advance together, so that each Q_i is fetched once a step for all that drew it.
  const groups = typeof model === "function" ? seeds.map((seed) => [seed]) : [seeds];
  groups.forEach((group, index) => {
    const ofGroup = typeof model === "function" ? model(group[0]!) : model;
    checkModel(where, ofGroup);
    const offset = index * records;
    runGroup(where, ofGroup, settings, options, { ...plan, seeds: group }, (k, s, loss, lambda) => {
      losses[offset + s * records + k] = loss;
      lambdaMax[offset + s * records + k] = lambda;
    });
  });
  const { mean: meanLoss, standardError: standardErrorLoss } = overSeeds(losses, seeds.length, records);
  const { mean: meanLambdaMax, standardError: standardErrorLambdaMax } = overSeeds(lambdaMax, seeds.length, records);
  return {
    ...{ recordAt, seeds, losses, lambdaMax },
    ...{ meanLoss, standardErrorLoss, meanLambdaMax, standardErrorLambdaMax },
  };
}

/** One seed's state, beside its θ and gradient in `Slopes`. */
interface Walker {
  readonly index: number;
  readonly draw: (steps: number) => { readonly examples: Int32Array; readonly counts: Int32Array };
  /** Batches drawn ahead, the next step among them, and where its examples begin. */
  drawn: { readonly examples: Int32Array; readonly counts: Int32Array };
  step: number;
  at: number;
  /** The leading right singular vector of J, [P], from the last time λ_max was found. */
  leading: Float64Array | undefined;
  diverged: boolean;
}

function runGroup(
  where: string,
  model: QuadraticModel,
  settings: Pick<SgdSettings, "learningRate" | "batchSize" | "sampling">,
  { seed: stream, trackLambdaMax = true }: QuadraticSgdOptions,
  plan: RunPlan,
  record: (k: number, walker: number, loss: number, lambdaMax: number) => void,
): void {
  const { examples } = model;
  const { learningRate, batchSize, sampling } = settings;
  resolveDynamics(where, examples, { learningRate, batchSize, sampling });
  checkInteger(where, "batchSize", batchSize, 1, examples);
  const along = slopes(model, plan.seeds.length);
  const streams = createRandom(stream);
  const walkers = plan.seeds.map((seed, index): Walker => {
    const rng = streams.fork(seed).fork("batches");
    return {
      index,
      draw: batches(sampling ?? "without-replacement", examples, batchSize, rng).draw,
      ...{ drawn: { examples: new Int32Array(0), counts: new Int32Array(0) }, at: 0, step: 0 },
      leading: undefined,
      diverged: false,
    };
  });
  let step = 0;
  const advanceTo = (target: number): void => {
    for (; step < target; step++) {
      takeStep(examples, along, walkers, learningRate / batchSize);
      plan.advance(walkers.length);
    }
  };
  plan.recordAt.forEach((at, k) => {
    advanceTo(at);
    for (let first = 0; first < walkers.length; first += OBSERVED_TOGETHER) {
      const together = walkers.slice(first, first + OBSERVED_TOGETHER);
      observe(model, along, together, trackLambdaMax).forEach(({ loss, lambdaMax }, s) =>
        record(k, first + s, loss, lambdaMax),
      );
    }
  });
  advanceTo(plan.steps);
  along.release();
}

/** One step of each walker. Examples in ascending order, and of each all who drew it, so that Q_i is in the cache for them. */
function takeStep(
  examples: number,
  { params, gradients, pull }: Slopes,
  walkers: readonly Walker[],
  rate: number,
): void {
  const drawnBy: number[][] = Array.from({ length: examples }, () => []);
  for (const walker of walkers) {
    if (walker.diverged) continue;
    gradients[walker.index]!.fill(0);
    if (walker.step === walker.drawn.counts.length) {
      walker.drawn = walker.draw(DRAWN_TOGETHER);
      walker.at = walker.step = 0;
    }
    const { examples: next, counts } = walker.drawn;
    for (let left = counts[walker.step++]!; left > 0; left--) drawnBy[next[walker.at++]!]!.push(walker.index);
  }
  drawnBy.forEach((drawers, example) => pull(example, drawers));
  for (const { index, diverged } of walkers) {
    if (diverged) continue;
    const [theta, gradient] = [params[index]!, gradients[index]!];
    for (let p = 0; p < theta.length; p++) theta[p]! -= rate * gradient[p]!;
  }
}

/** The loss of each walker over all examples, and its λ_max. Example by example, as a step is. */
function observe(
  { examples, params }: QuadraticModel,
  { look }: Slopes,
  walkers: readonly Walker[],
  trackLambdaMax: boolean,
): { loss: number; lambdaMax: number }[] {
  const jacobians = walkers.map(() => new Float64Array(trackLambdaMax ? examples * params : 0));
  const squares = new Float64Array(walkers.length);
  for (let i = 0; i < examples; i++) {
    walkers.forEach(({ index }, s) => {
      const slope = trackLambdaMax ? jacobians[s]!.subarray(i * params, (i + 1) * params) : undefined;
      squares[s]! += look(i, index, slope) ** 2;
    });
  }
  return walkers.map((walker, s) => {
    const loss = squares[s]! / (2 * examples);
    walker.diverged ||= !(loss < DIVERGED);
    if (walker.diverged) return { loss: Infinity, lambdaMax: trackLambdaMax ? Infinity : NaN };
    return { loss, lambdaMax: trackLambdaMax ? leadingEigenvalue(jacobians[s]!, examples, params, walker) : NaN };
  });
}

/** λ_max of J Jᵀ/D by Lanczos on JᵀJ/D, from the leading direction of the last time. */
function leadingEigenvalue(jacobian: Float64Array, examples: number, params: number, walker: Walker): number {
  const along = new Float64Array(examples);
  const forward = { rows: examples, inner: params, columns: 1 };
  const back = { rows: 1, inner: examples, columns: params };
  const apply = (x: Float64Array, y: Float64Array): void => {
    multiplyInto(along, jacobian, x, forward);
    for (let i = 0; i < examples; i++) along[i]! /= examples;
    multiplyInto(y, along, jacobian, back);
  };
  const start = walker.leading ?? jacobian.slice(0, params);
  const { values, vectors } = lanczos(apply, params, {
    start: start.some((x) => x !== 0) ? start : undefined,
    tolerance: LAMBDA_ACCURACY,
    stop: "value",
  });
  walker.leading = vectors;
  return values[0]!;
}
