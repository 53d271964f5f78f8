import { createRandom, eigvalsh, multiply } from "@sedge/linalg";
import {
  criticalLearningRate,
  expectedLoss,
  linearSystem,
  noiseKernel,
  samplingCoefficients,
  spectralRadius,
  type LinearSystem,
} from "@sedge/theory";
import { courseOverSeeds, type CourseOverSeeds } from "./course-over-seeds.js";
import { breathe, type FigureContext } from "./figure.js";
import { logSteps } from "./numbers.js";

/** A run at one learning rate: simulated, and its exact expectation, at the recorded steps. */
export interface Trajectory extends CourseOverSeeds {
  readonly learningRate: number;
  readonly kExact: number;
  readonly kDiagonal: number;
  readonly expectedLoss: readonly number[];
}

/** Everything the theory says at one learning rate. */
export interface Edge {
  readonly learningRate: number;
  readonly kExact: number;
  readonly kDiagonal: number;
  readonly kHighDim: number;
  readonly kTrace: number;
  readonly deterministicRatio: number;
  /** Spectral radius of the exact second-moment operator. */
  readonly growthExact: number;
  /** λ_max(A + B): of the paper's diagonal dynamics. */
  readonly growthDiagonal: number;
}

export interface Figure01Data {
  readonly problem: { examples: number; params: number; batchSize: number; steps: number; seeds: number; seed: number };
  readonly recordAt: readonly number[];
  readonly trajectories: readonly Trajectory[];
  readonly edges: readonly Edge[];
  /** Where K exact = 1, where the paper’s K = 1, and the deterministic edge. */
  readonly critical: { exact: number; diagonal: number; deterministic: number };
  /** The radii at those two points. */
  readonly growthAtCritical: { exact: number; diagonal: number };
}

const batchSize = 5;
export const sampling = "without-replacement";
const settingsAt = (learningRate: number) => ({ learningRate, batchSize, sampling }) as const;

/** Simulates, and asks the theory, along a range of learning rates about the edge. */
export async function linearRegression({
  quick,
  seed,
  parts,
  onProgress,
  signal,
}: FigureContext): Promise<Figure01Data> {
  const problem = quick
    ? { examples: 100, params: 120, batchSize, steps: 2000, seeds: 32, seed }
    : { examples: 100, params: 120, batchSize, steps: 10_000, seeds: 100, seed };
  const { examples, params, steps, seeds } = problem;
  const random = createRandom(`figure 1, ${seed}`);
  const jacobian = random.fork("jacobian").normals(examples * params);
  const residual = random.fork("residual").normals(examples);
  const system = linearSystem({ jacobian, examples, outputs: 1 });
  const recordAt = logSteps(steps, quick ? 40 : 80);

  const critical = {
    exact: criticalLearningRate(system, { batchSize, sampling, norm: "exact" }).value,
    diagonal: criticalLearningRate(system, { batchSize, sampling, norm: "diagonal" }).value,
    deterministic: criticalLearningRate(system, { batchSize, sampling, norm: "deterministic" }).value,
  };
  const overlaps = squaredOverlaps(system);
  const growthAtCritical = {
    exact: spectralRadius(system, settingsAt(critical.exact)),
    diagonal: diagonalGrowth(system, overlaps, critical.diagonal),
  };

  // Learning rates for the final loss: even in K exact, dense about the edge, and the shown ones among them.
  const targets = quick
    ? [0.1, 0.25, 0.5, 0.75, 0.85, 0.95, 1.02, 1.1, 1.3]
    : [
        0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2,
        1.3,
      ];
  const trajectories: Trajectory[] = [];
  for (const [i, target] of targets.entries()) {
    onProgress({ label: `K = ${target}`, done: i, total: targets.length });
    await breathe(signal);
    const inputs = { version: 1, problem, target, recordAt };
    trajectories.push(await parts.part("figure-01-run", inputs, () => runAt(target)));
  }
  onProgress({ label: "drawing", done: targets.length, total: targets.length });

  // Even up to well past the edge, and dense about where the two cross: there the curves have a kink.
  const rates = [
    ...Array.from({ length: 41 }, (_, i) => (1.35 * critical.exact * (i + 1)) / 41),
    ...Array.from(
      { length: 41 },
      (_, i) => critical.exact * 0.98 + ((1.04 * critical.diagonal - 0.98 * critical.exact) * i) / 40,
    ),
  ].sort((a, b) => a - b);
  const edges = rates.map((learningRate) => {
    const { exact, diagonal, highDim, trace, deterministicRatio } = noiseKernel(system, settingsAt(learningRate));
    return {
      learningRate,
      kExact: exact,
      kDiagonal: diagonal,
      kHighDim: highDim,
      kTrace: trace,
      deterministicRatio,
      growthExact: spectralRadius(system, settingsAt(learningRate)),
      growthDiagonal: diagonalGrowth(system, overlaps, learningRate),
    };
  });
  return { problem, recordAt, trajectories, edges, critical, growthAtCritical };

  async function runAt(target: number): Promise<Trajectory> {
    const learningRate = criticalLearningRate(system, { batchSize, sampling, norm: "exact", target }).value;
    const settings = settingsAt(learningRate);
    const { exact, diagonal } = noiseKernel(system, settings);
    const options = { steps, seeds, recordAt, seed: `figure 1, ${seed}` };
    const course = await courseOverSeeds(system, residual, settings, options, signal);
    const expected = expectedLoss(system, residual, settings, steps);
    return {
      learningRate,
      kExact: exact,
      kDiagonal: diagonal,
      ...course,
      expectedLoss: recordAt.map((step) => expected[step]!),
    };
  }
}

/** C_μν = Σ_i v²_μi v²_νi, [rank, rank]: how the modes share the examples. */
function squaredOverlaps({ examples, rank, modes }: LinearSystem): Float64Array {
  const squares = modes.map((x) => x * x);
  return multiply(squares, squares, { rows: rank, inner: examples, columns: rank, transposeA: true });
}

/**
 * λ_max(A + B) of the paper's dynamics s' = (A + B)s of s = diag(VᵀΣV): A = (1−ηλ)² + η²(κ−1)λ², B = η²c ΛCΛ. Written here
 * from the definition, beside the norm in @sedge/theory that it is to agree with.
 */
function diagonalGrowth({ examples, rank, eigenvalues }: LinearSystem, overlaps: Float64Array, eta: number): number {
  const { kappa, c } = samplingCoefficients(sampling, examples, batchSize);
  const matrix = overlaps.slice();
  for (let mu = 0; mu < rank; mu++) {
    for (let nu = 0; nu < rank; nu++) matrix[mu * rank + nu]! *= eta * eta * c * eigenvalues[mu]! * eigenvalues[nu]!;
    const p = eta * eigenvalues[mu]!;
    matrix[mu * rank + mu]! += (1 - p) ** 2 + (kappa - 1) * p * p;
  }
  return eigvalsh(matrix, rank)[rank - 1]!;
}
