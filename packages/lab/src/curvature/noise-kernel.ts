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

/** The noise kernel norm of a run, four ways, each 1 on the stochastic edge if it is trusted (only `exact` is exact). */
export interface NoiseKernelEstimate {
  readonly exact: Estimate;
  readonly diagonal: Estimate;
  readonly highDim: Estimate;
  readonly trace: Estimate;
}

const forms = ["exact", "diagonal", "highDim", "trace"] as const;

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
export function estimateNoiseKernel(ntk: Ntk, loss: Loss, sgd: SgdSettings, learningRate: number): NoiseKernelEstimate {
  const { examples, outputs } = ntk;
  if (examples < 2 || examples > sgd.examples) {
    throw new BadInput(`noiseKernel: expected a probe of 2 to ${sgd.examples} training examples, got ${examples}.`);
  }
  const roots = outputHessianRoots(loss, ntk.output, outputs);
  const matrix = roots === null ? ntk.matrix : conjugateBlocks(ntk.matrix, roots, examples, outputs);
  const settings = { ...sgd, learningRate, population: sgd.examples };
  const half = Math.floor(examples / 2);

  const whole = noiseKernel(linearSystem({ ntk: matrix, examples, outputs }), settings);
  const [first, second] = [0, half].map((start) => {
    const part = principalBlock(matrix, examples, outputs, start, half);
    return noiseKernel(linearSystem({ ntk: part, examples: half, outputs }), settings);
  });
  const estimate = (form: (typeof forms)[number]): Estimate => ({
    value: whole[form],
    standardError: Math.abs(first![form] - second![form]) / 2,
  });
  return {
    exact: estimate("exact"),
    diagonal: estimate("diagonal"),
    highDim: estimate("highDim"),
    trace: estimate("trace"),
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
