import { probeNoiseKernel, type ProbeNoiseKernel } from "@sedge/theory";
import { BadInput } from "../errors.js";
import { outputHessianRoots, type Loss } from "../objectives/objective.js";
import type { SgdSettings } from "../probes/probe.js";
import type { Ntk } from "./ntk/ntk.js";

export interface NoiseKernelEstimateOptions {
  /** η of the next update. */
  readonly learningRate: number;
  /** Relative accuracy of K to stop at: its sampling error is far larger. Default 1e-5. */
  readonly tolerance?: number;
  /** `perron` of an earlier measurement on the same probe. */
  readonly start?: Float64Array | undefined;
  /** Whether the ends of 95 % intervals are wanted. Default true. */
  readonly interval?: boolean;
}

/**
 * K of a run, four ways and with error bars, from the NTK of a probe of n of its N training examples in random order:
 * κ comes from N, and c is (n/N) times the run's, so that B may exceed n (theory.md §6).
 *
 * @param ntk  Θ = J Jᵀ/n with the plain Jacobian; for a loss that is not squared, J̃ = H^{1/2} J is formed here.
 * @throws BadInput if the probe has fewer than two examples, which leaves no halves to compare, or more than the run.
 */
export function estimateNoiseKernel(
  ntk: Ntk,
  loss: Loss,
  { examples: population, ...sgd }: SgdSettings & { readonly nesterov?: boolean },
  { learningRate, tolerance = 1e-5, start, interval }: NoiseKernelEstimateOptions,
): ProbeNoiseKernel {
  const { matrix, examples, outputs, output } = ntk;
  if (examples < 2 || examples > population) {
    throw new BadInput(`noiseKernel: expected a probe of 2 to ${population} training examples, got ${examples}.`);
  }
  const roots = outputHessianRoots(loss, output, outputs);
  return probeNoiseKernel(
    { ntk: roots === null ? matrix : conjugateBlocks(matrix, roots, examples, outputs), examples, outputs },
    { ...sgd, learningRate, population },
    { tolerance, interval, start: start?.some((x) => x !== 0) ? start : undefined }, // all zeros past the deterministic edge
  );
}

/** R Θ R, R block-diagonal with the symmetric blocks `roots` [n, C, C]. */
export function conjugateBlocks(
  matrix: Float64Array,
  roots: Float64Array,
  examples: number,
  outputs: number,
): Float64Array {
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
