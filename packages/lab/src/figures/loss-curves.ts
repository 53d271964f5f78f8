import { createRandom } from "@sedge/linalg";
import {
  criticalLearningRate,
  diagonalLoss,
  expectedLoss,
  linearSystem,
  noiseKernel,
  volterraLoss,
  type LinearSystem,
} from "@sedge/theory";
import { courseOverSeeds, type CourseOverSeeds } from "./course-over-seeds.js";
import { breathe, type FigureContext } from "./figure.js";
import { quietKernel } from "./linear-simulation.js";
import { logSteps, mean, standardErrorOfMean } from "./numbers.js";

/** A mean over random systems, with its standard error. */
export interface OverSystems {
  readonly mean: number;
  readonly standardError: number;
}

/** How far the approximations are from the exact expectation at one size. */
export interface SizeCase {
  readonly examples: number;
  /** max over steps of |loss/exact − 1|. */
  readonly volterraDeviation: OverSystems;
  readonly diagonalDeviation: OverSystems;
  /** K_highDim/K_exact and K_diagonal/K_exact. */
  readonly highDimRatio: OverSystems;
  readonly diagonalRatio: OverSystems;
}

export interface LossCurvesData {
  readonly problem: {
    steps: number;
    seeds: number;
    systems: number;
    seed: number;
    batchShare: number;
    scanKernel: number;
  };
  readonly recordAt: readonly number[];
  /** The largest system, simulated where K is small. */
  readonly shown: CourseOverSeeds & {
    readonly examples: number;
    readonly kExact: number;
    readonly learningRate: number;
    readonly exact: readonly number[];
    readonly volterra: readonly number[];
    readonly diagonal: readonly number[];
  };
  readonly sizes: readonly SizeCase[];
}

export const sampling = "without-replacement";
/** Batches grow with the examples, as the high-dimensional limit has it. */
const batchShare = 0.1;
const scanKernel = 0.5;
/** P/N of the Gaussian Jacobians. */
const aspect = 1.2;

/** The theory's three loss curves beside each other and beside simulation, as the number of examples grows. */
export async function lossCurves({ quick, seed, parts, onProgress, signal }: FigureContext): Promise<LossCurvesData> {
  const sizes = quick ? [20, 40, 80] : [25, 50, 100, 200];
  const problem = {
    ...{ steps: quick ? 300 : 1000, seeds: quick ? 100 : 400, systems: quick ? 8 : 16, seed },
    ...{ batchShare, scanKernel },
  };
  const { steps, seeds, systems } = problem;
  const recordAt = logSteps(steps, 60);

  const cases: SizeCase[] = [];
  for (const [i, examples] of sizes.entries()) {
    onProgress({ label: `${examples} examples`, done: i, total: sizes.length + 1 });
    const inputs = { version: 1, problem, examples };
    cases.push(await parts.part("figure-07-size", inputs, () => sizeCase(examples)));
  }
  onProgress({ label: "simulating", done: sizes.length, total: sizes.length + 1 });
  const shown = await parts.part("figure-07-shown", { version: 1, problem, examples: sizes.at(-1), recordAt }, () =>
    simulated(sizes.at(-1)!),
  );
  return { problem, recordAt, shown, sizes: cases };

  async function sizeCase(examples: number): Promise<SizeCase> {
    const rows: Record<keyof Omit<SizeCase, "examples">, number>[] = [];
    for (let index = 0; index < systems; index++) {
      await breathe(signal);
      const { system, residual, settings } = problemOf(examples, index, seed, scanKernel);
      const exact = expectedLoss(system, residual, settings, steps);
      const kernel = noiseKernel(system, settings);
      rows.push({
        volterraDeviation: deviation(volterraLoss(system, residual, settings, steps), exact),
        diagonalDeviation: deviation(diagonalLoss(system, residual, settings, steps), exact),
        highDimRatio: kernel.highDim / kernel.exact,
        diagonalRatio: kernel.diagonal / kernel.exact,
      });
    }
    const over = (key: keyof (typeof rows)[number]): OverSystems => {
      const values = rows.map((row) => row[key]);
      return { mean: mean(values), standardError: standardErrorOfMean(values) };
    };
    return {
      examples,
      volterraDeviation: over("volterraDeviation"),
      diagonalDeviation: over("diagonalDeviation"),
      highDimRatio: over("highDimRatio"),
      diagonalRatio: over("diagonalRatio"),
    };
  }

  async function simulated(examples: number): Promise<LossCurvesData["shown"]> {
    const kExact = 0.9 * quietKernel;
    const { system, residual, settings } = problemOf(examples, 0, seed, kExact);
    const at = (curve: Float64Array) => recordAt.map((step) => curve[step]!);
    const options = { steps, seeds, recordAt, seed: `figure 7, ${seed}` };
    return {
      examples,
      kExact,
      learningRate: settings.learningRate,
      ...(await courseOverSeeds(system, residual, settings, options, signal)),
      exact: at(expectedLoss(system, residual, settings, steps)),
      volterra: at(volterraLoss(system, residual, settings, steps)),
      diagonal: at(diagonalLoss(system, residual, settings, steps)),
    };
  }
}

/** A random regression, at the learning rate where K exact has a value. */
function problemOf(examples: number, index: number, seed: number, target: number) {
  const random = createRandom(`figure 7, ${seed}, ${examples} examples, system ${index}`);
  const params = Math.round(aspect * examples);
  const jacobian = random.fork("jacobian").normals(examples * params);
  const residual = random.fork("residual").normals(examples);
  const system: LinearSystem = linearSystem({ jacobian, examples, outputs: 1 });
  const fixed = { batchSize: Math.round(batchShare * examples), sampling } as const;
  const learningRate = criticalLearningRate(system, { ...fixed, norm: "exact", target }).value;
  return { system, residual, settings: { ...fixed, learningRate } };
}

function deviation(curve: Float64Array, exact: Float64Array): number {
  let largest = 0;
  for (let t = 1; t < curve.length; t++) largest = Math.max(largest, Math.abs(curve[t]! / exact[t]! - 1));
  return largest;
}
