import {
  linearSystem,
  noiseKernel,
  randomQuadraticModel,
  simulateQuadraticModel,
  type QuadraticModel,
  type Sampling,
} from "@sedge/theory";
import { breathe, type FigureContext } from "./figure.js";
import { logSteps, mean, standardErrorOfMean } from "./numbers.js";

/** Random quadratic regression models, trained by SGD at several batch sizes. */
export interface QuadraticProblem {
  readonly examples: number;
  readonly params: number;
  /** Standard deviation of the entries of Q, before the weighting. */
  readonly curvature: number;
  readonly weighting: "flat" | "scaled";
  readonly batchSizes: readonly number[];
  /** η, in units of one over the eigenvalues of J Jᵀ/N. */
  readonly learningRate: number;
  readonly sampling: Sampling;
  readonly steps: number;
  readonly seeds: number;
}

/** Means over seeds at one batch size, at the recorded steps. */
export interface QuadraticCourse {
  readonly batchSize: number;
  readonly lambdaMax: readonly number[];
  readonly lambdaMaxError: readonly number[];
  readonly loss: readonly number[];
  readonly lossError: readonly number[];
  /** Seeds whose loss overflowed. The means are over the others. */
  readonly diverged: number;
}

/** λ_max of J Jᵀ/N for J with independent entries of variance 1/P, in the limit of large N and P (Marchenko and Pastur). */
export function expectedLambdaMax(examples: number, params: number): number {
  return (1 + Math.sqrt(examples / params)) ** 2 / examples;
}

export const recordedSteps = ({ steps }: QuadraticProblem): number[] => logSteps(steps, 48);

/** The model of a seed: the same at every batch size, so that curves differ by the batch alone. */
export function seedModel(
  { examples, params, curvature, weighting }: QuadraticProblem,
  name: string,
  index: number,
): QuadraticModel {
  return randomQuadraticModel({ examples, params, curvature, weighting, seed: `${name}, model ${index}` });
}

/**
 * @param name  Names the random streams.
 * @param onSeed  Told after each seed of each batch size.
 */
export async function quadraticCourses(
  problem: QuadraticProblem,
  name: string,
  { parts, signal }: Pick<FigureContext, "parts" | "signal">,
  onSeed: () => void,
): Promise<QuadraticCourse[]> {
  const { batchSizes, ...shared } = problem;
  const courses: QuadraticCourse[] = [];
  for (const batchSize of batchSizes) {
    const inputs = { version: 1, name, batchSize, ...shared };
    courses.push(await parts.part("quadratic", inputs, () => course(problem, name, batchSize, signal, onSeed)));
  }
  return courses;
}

async function course(
  problem: QuadraticProblem,
  name: string,
  batchSize: number,
  signal: AbortSignal | undefined,
  onSeed: () => void,
): Promise<QuadraticCourse> {
  const { learningRate, sampling, steps, seeds } = problem;
  const recordAt = recordedSteps(problem);
  const lambdas: Float64Array[] = [];
  const losses: Float64Array[] = [];
  for (let index = 0; index < seeds; index++) {
    await breathe(signal);
    const run = simulateQuadraticModel(
      (seed) => seedModel(problem, name, seed),
      { learningRate, batchSize, sampling },
      { steps, seed: `${name}, batches`, firstSeed: index, seeds: 1, recordAt, signal },
    );
    onSeed();
    if (!Number.isFinite(run.losses.at(-1))) continue;
    lambdas.push(run.lambdaMax);
    losses.push(run.losses);
  }
  const over = (runs: readonly Float64Array[], statistic: (values: number[]) => number) =>
    recordAt.map((_, k) => statistic(runs.map((run) => run[k]!)));
  return {
    batchSize,
    lambdaMax: over(lambdas, mean),
    lambdaMaxError: over(lambdas, standardErrorOfMean),
    loss: over(losses, mean),
    lossError: over(losses, standardErrorOfMean),
    diverged: seeds - losses.length,
  };
}

/** Both noise kernel norms at the start, means over the first few seeds' models. */
export interface InitialKernel {
  readonly batchSize: number;
  readonly exact: number;
  readonly diagonal: number;
}

/** K at initialisation hardly differs between seeds, so a few are enough. */
const kernelSeeds = 8;

export function initialKernels(problem: QuadraticProblem, name: string): InitialKernel[] {
  const { batchSizes, learningRate, sampling, examples, seeds } = problem;
  const systems = Array.from({ length: Math.min(seeds, kernelSeeds) }, (_, index) =>
    linearSystem({ jacobian: seedModel(problem, name, index).jacobian, examples, outputs: 1 }),
  );
  return batchSizes.map((batchSize) => {
    const kernels = systems.map((system) => noiseKernel(system, { learningRate, batchSize, sampling }));
    return {
      batchSize,
      exact: mean(kernels.map(({ exact }) => exact)),
      diagonal: mean(kernels.map(({ diagonal }) => diagonal)),
    };
  });
}
