import { linearSystem, noiseKernel } from "@sedge/theory";
import { BadInput } from "../errors.js";
import type { SgdSettings } from "../probes/probe.js";
import { outputHessianRoots, type Loss } from "../objectives/objective.js";
import type { Ntk } from "./ntk.js";

/** A number from a sample of the training set, with the standard error that the sampling gives it. */
export interface Estimate {
  readonly value: number;
  /** NaN where it cannot be told: K is infinite past the deterministic edge. */
  readonly standardError: number;
}

/** The noise kernel norm of a run, four ways, from one probe. */
export interface NoiseKernelEstimate {
  /** 1 on the stochastic edge. The others are approximations of it. */
  readonly exact: Estimate;
  readonly diagonal: Estimate;
  readonly highDim: Estimate;
  readonly trace: Estimate;
  /** Where a later measurement on the same probe may start. */
  readonly warmStart: NoiseKernelStart;
}

/** Perron blocks [n, C, C] of the whole probe and of its two halves; null where K was infinite or zero. */
export type NoiseKernelStart = readonly (Float64Array | null)[];

export interface NoiseKernelEstimateOptions {
  /** η of the next update. */
  readonly learningRate: number;
  /** Relative accuracy of K to stop at: its sampling error is far larger. Default 1e-5. */
  readonly tolerance?: number;
  readonly start?: NoiseKernelStart | undefined;
}

/**
 * K of a run from the NTK of a probe of n of its N training examples.
 *
 * κ comes from N, and c is (n/N) times the run's, so that B may exceed n (theory.md §6). The standard error is half the
 * difference between the two disjoint halves of the probe: a half's K has √2 times the error of the whole's, and the
 * difference of two such √2 times that again. It is itself a rough number, of one degree of freedom.
 *
 * @param ntk  Θ = J Jᵀ/n with the plain Jacobian; for a loss that is not squared, J̃ = H^{1/2} J is formed here.
 * @throws BadInput if the probe has fewer than two examples or more than the run.
 */
export function estimateNoiseKernel(
  ntk: Ntk,
  loss: Loss,
  sgd: SgdSettings,
  { learningRate, tolerance = 1e-5, start = [] }: NoiseKernelEstimateOptions,
): NoiseKernelEstimate {
  const { examples, outputs } = ntk;
  if (examples < 2 || examples > sgd.examples) {
    throw new BadInput(`noiseKernel: expected a probe of 2 to ${sgd.examples} training examples, got ${examples}.`);
  }
  const roots = outputHessianRoots(loss, ntk.output, outputs);
  const matrix = roots === null ? ntk.matrix : conjugateBlocks(ntk.matrix, roots, examples, outputs);
  const { examples: population, ...optimizer } = sgd;
  const settings = { ...optimizer, learningRate, population };
  const half = Math.floor(examples / 2);
  const parts = [
    { from: 0, count: examples },
    { from: 0, count: half },
    { from: half, count: half },
  ];
  const kernels = parts.map(({ from, count }, i) => {
    const part = count === examples ? matrix : principalBlock(matrix, examples, outputs, from, count);
    const system = linearSystem({ ntk: part, examples: count, outputs });
    return noiseKernel(system, settings, { tolerance, start: start[i] ?? undefined, perron: true });
  });
  const estimate = (form: "exact" | "diagonal" | "highDim" | "trace"): Estimate => ({
    value: kernels[0]![form],
    standardError: Math.abs(kernels[1]![form] - kernels[2]![form]) / 2,
  });
  return {
    exact: estimate("exact"),
    diagonal: estimate("diagonal"),
    highDim: estimate("highDim"),
    trace: estimate("trace"),
    warmStart: kernels.map(({ exact, perron }) => (exact > 0 && exact < Infinity ? perron! : null)),
  };
}

/** Θ of `count` consecutive examples of the probe: their rows and columns, divided by their number instead of n. */
export function principalBlock(
  matrix: Float64Array,
  examples: number,
  outputs: number,
  start: number,
  count: number,
): Float64Array {
  const size = examples * outputs;
  const part = count * outputs;
  const block = new Float64Array(part * part);
  for (let i = 0; i < part; i++) {
    const row = (start * outputs + i) * size + start * outputs;
    for (let j = 0; j < part; j++) block[i * part + j] = (matrix[row + j]! * examples) / count;
  }
  return block;
}

/** R Θ R, R block-diagonal with the symmetric blocks `roots` [n, C, C]. */
function conjugateBlocks(matrix: Float64Array, roots: Float64Array, examples: number, outputs: number): Float64Array {
  const size = examples * outputs;
  const left = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const block = Math.floor(i / outputs) * outputs;
    for (let k = 0; k < outputs; k++) {
      const factor = roots[i * outputs + k]!; // row i of R: block i / C, row i mod C, entry k
      for (let j = 0; j < size; j++) left[i * size + j]! += factor * matrix[(block + k) * size + j]!;
    }
  }
  const both = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const block = Math.floor(j / outputs) * outputs;
      let sum = 0;
      for (let k = 0; k < outputs; k++) sum += left[i * size + block + k]! * roots[j * outputs + k]!;
      both[i * size + j] = sum;
    }
  }
  return both;
}
