import { lanczos } from "@sedge/linalg";
import { blockTraces, symmetrise } from "./blocks.js";
import { compressedPerron } from "./compressed-perron.js";
import { diagonalPerron } from "./diagonal-noise-kernel.js";
import { checkNumber, finiteArray, TheoryRangeError } from "./errors.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { deterministicRatio, pairResponse } from "./response.js";
import { scratch } from "./scratch.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";
import { modeBlocks } from "./mode-blocks.js";

export interface ExactNoiseKernelOptions {
  /** Relative accuracy of K to stop at, in [0, 1). Default 1e-10; a live probe is well served by 1e-5. */
  readonly tolerance?: number | undefined;
  /** Blocks [N, C, C] to start from: `perron` of an earlier, similar problem. */
  readonly start?: ArrayLike<number> | undefined;
}

export interface ExactNoiseKernel {
  /** K, dimensionless; `Infinity` at or past the deterministic edge. */
  readonly value: number;
  /** ‖T W − K W‖ for the unit eigenvector W: an eigenvalue lies within it of K. The error of K is of its square. */
  readonly ritzResidual: number;
  /** Products with the map itself; those with its compressed form, on large systems, not counted. */
  readonly iterations: number;
  /** The Perron eigenvector: the noise covariance that feeds itself best, positive semidefinite blocks [N, C, C], unit norm. */
  readonly perron: Float64Array;
  /** How much of its trace each example has, [N], summing to 1: which examples put the run at the edge. */
  readonly exampleWeights: Float64Array;
}

/**
 * The exact noise kernel norm: the Perron eigenvalue of W ↦ bd(V [(VᵀWV) ∘ G] Vᵀ) on covariances that are block-diagonal over
 * examples. K = 1 exactly where the spectral radius of SGD's full second-moment operator is 1, for every sampling, momentum
 * and weight decay: docs/theory/noise-kernel.md.
 *
 * Past the deterministic edge, and where there is no noise (K = 0), `perron` and `exampleWeights` are zero.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings or options out of range
 */
export function exactNoiseKernel(
  system: LinearSystem,
  settings: SgdSettings,
  options: ExactNoiseKernelOptions = {},
): ExactNoiseKernel {
  const where = "exactNoiseKernel";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  const { tolerance, start } = checkExactOptions(where, system, options);
  if (deterministicRatio(system.lambdaMax, dynamics) >= 1) return withoutNoise(system, Infinity);
  return exactPerron(system, dynamics, tolerance, start);
}

export function checkExactOptions(where: string, system: LinearSystem, options: ExactNoiseKernelOptions) {
  const { tolerance = 1e-10, start } = options;
  checkNumber(where, "tolerance", tolerance, (x) => x >= 0 && x < 1, "a number in [0, 1)");
  if (start === undefined) return { tolerance };
  const { examples, outputs } = system;
  const length = examples * outputs * outputs;
  const blocks = finiteArray(
    where,
    "start",
    start,
    length,
    `examples × outputs × outputs = ${examples} × ${outputs} × ${outputs}`,
  );
  if (!blocks.some((x) => x !== 0)) throw new TheoryRangeError(`${where}: start: expected blocks other than zero.`);
  return { tolerance, start: blocks };
}

/** The value `Infinity` or 0 without an eigenvector. */
export function withoutNoise({ examples, outputs }: LinearSystem, value: number): ExactNoiseKernel {
  const perron = new Float64Array(examples * outputs * outputs);
  return { value, ritzResidual: 0, iterations: 0, perron, exampleWeights: new Float64Array(examples) };
}

/** As `exactNoiseKernel`, unchecked, inside the deterministic edge. */
export function exactPerron(
  system: LinearSystem,
  dynamics: Dynamics,
  tolerance: number,
  start?: Float64Array,
): ExactNoiseKernel {
  if (dynamics.c === 0 || system.rank === 0) return withoutNoise(system, 0);
  const { examples, outputs } = system;
  const response = (lambda: number, other: number) => pairResponse(lambda, other, dynamics);
  const first = positiveStart(start ?? new Float64Array(examples * outputs * outputs), examples, outputs);
  const compressed = compressedPerron(system, response, noiseMap(system, response), tolerance, first);
  if (compressed?.converged) return oriented(system, compressed);
  // Without compression, or with two parts of a kernel all but tied, of which it may have taken the wrong one.
  const rough = compressed?.perron ?? start ?? diagonalPerron(system, dynamics, 1e-2).blocks;
  return responsePerron(system, response, tolerance, rough);
}

/** `responsePerron` of the noise kernel norm, from the eigenvector of a similar problem: not worth compressing for. */
export function warmPerron(
  system: LinearSystem,
  dynamics: Dynamics,
  tolerance: number,
  start: Float64Array,
): ExactNoiseKernel {
  if (dynamics.c === 0) return withoutNoise(system, 0);
  return responsePerron(system, (lambda, other) => pairResponse(lambda, other, dynamics), tolerance, start);
}

/**
 * The Perron eigenpair of W ↦ bd(V [(VᵀWV) ∘ G] Vᵀ) for a response G of pairs of modes, by Lanczos' method on the map itself.
 */
export function responsePerron(
  system: LinearSystem,
  response: (lambda: number, other: number) => number,
  tolerance: number,
  start: Float64Array,
): ExactNoiseKernel {
  const { examples, outputs, rank } = system;
  if (rank === 0) return withoutNoise(system, 0);
  const { values, vectors, ritzResiduals, iterations } = lanczos(
    noiseMap(system, response),
    examples * outputs * outputs,
    { start: positiveStart(start, examples, outputs), tolerance, stop: "value" },
  );
  return oriented(system, { value: values[0]!, ritzResidual: ritzResiduals[0]!, iterations, perron: vectors });
}

/** W ↦ bd(V [(VᵀWV) ∘ G] Vᵀ), into `result`. Two half matrix products of size N·C × N·C × rank. In use until the next call. */
export function noiseMap(
  system: LinearSystem,
  response: (lambda: number, other: number) => number,
): (blocks: Float64Array, result: Float64Array) => void {
  const { examples, outputs, rank, eigenvalues } = system;
  // G above the diagonal and half of it on it, which is what toBlocks wants of (VᵀWV) ∘ G.
  const half = scratch("response", rank * rank);
  for (let mu = 0; mu < rank; mu++) {
    for (let nu = mu; nu < rank; nu++) half[mu * rank + nu] = response(eigenvalues[mu]!, eigenvalues[nu]!);
    half[mu * rank + mu]! *= 0.5;
  }
  const { toModes, toBlocks } = modeBlocks(system);
  const inner = scratch("covariance", rank * rank);
  const symmetric = new Float64Array(examples * outputs * outputs);
  return (blocks, result) => {
    // The method may try vectors of its own, which are not symmetric. On antisymmetric blocks the map is 0.
    symmetrise(symmetric, blocks, examples, outputs);
    toModes(symmetric, inner);
    for (let mu = 0; mu < rank; mu++) {
      for (let at = mu * rank + mu; at < (mu + 1) * rank; at++) inner[at]! *= half[at]!;
    }
    toBlocks(inner, result);
  };
}

/** With the eigenvector's sign that makes it a covariance, of positive traces, and the examples' shares of them. */
function oriented(
  { examples, outputs }: LinearSystem,
  pair: Pick<ExactNoiseKernel, "value" | "ritzResidual" | "iterations" | "perron">,
): ExactNoiseKernel {
  const { value, ritzResidual, iterations } = pair;
  const exampleWeights = blockTraces(pair.perron, examples, outputs);
  const total = exampleWeights.reduce((sum, weight) => sum + weight, 0);
  const perron = total < 0 ? pair.perron.map((x) => -x) : pair.perron;
  for (let i = 0; i < examples; i++) exampleWeights[i]! /= total;
  return { value, ritzResidual, iterations, perron, exampleWeights };
}

/**
 * Symmetric blocks with a little of the identity added, so that the start overlaps the Perron vector even where a kernel
 * splits into parts that do not see each other and the given start is zero on one.
 */
function positiveStart(start: Float64Array, examples: number, outputs: number): Float64Array {
  const blocks = new Float64Array(start.length);
  symmetrise(blocks, start, examples, outputs);
  const trace = blockTraces(blocks, examples, outputs).reduce((sum, x) => sum + Math.abs(x), 0);
  const share = trace > 0 ? (1e-3 * trace) / (examples * outputs) : 1;
  for (let row = 0; row < examples * outputs; row++) blocks[row * outputs + (row % outputs)]! += share;
  return blocks;
}
