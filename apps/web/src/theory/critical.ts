import { highDimNoiseKernel, type SgdSettings } from "@sedge/theory";
import type { ProbeSpectrum } from "../run/record-data.js";
import { edgeRate, type Descent } from "./descent.js";

/** A probe of a run, and how the run was trained. */
export interface Probed {
  readonly spectrum: Pick<ProbeSpectrum, "eigenvalues" | "examples">;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly descent: Descent;
  /** N of the training set. */
  readonly population: number;
  readonly sampling: SgdSettings["sampling"];
  /** K exact as measured with these settings. */
  readonly noiseKernel: number;
}

/**
 * K at other settings than the run's, from a spectrum alone: the high-dimensional form, which follows η and B exactly as
 * the modes do, times what the exact norm was above it where both were known. The factor hardly changes with η and B.
 */
export interface ScaledKernel {
  at(learningRate: number, batchSize: number): number;
  readonly population: number;
  /** η on the deterministic edge of the probe's kernel, past which K is infinite. */
  readonly deterministicEdge: number;
}

/** Null where the probe does not say enough: no examples known, K not finite, or a kernel of zeros. */
export function scaledKernel(probed: Probed): ScaledKernel | null {
  const { spectrum, learningRate, batchSize, descent, population, sampling, noiseKernel } = probed;
  const { eigenvalues, examples } = spectrum;
  const lambdaMax = eigenvalues.at(-1) ?? NaN;
  const known = Number.isInteger(examples) && examples >= 1 && eigenvalues.length % examples === 0;
  if (!known || !(lambdaMax > 0) || !(lambdaMax < Infinity)) return null;
  if (!Number.isInteger(population) || population < examples) return null;
  if (!(noiseKernel > 0) || noiseKernel === Infinity || !eigenvalues.every(Number.isFinite)) return null;
  if (!(learningRate > 0) || !(batchSize >= 1) || batchSize > population) return null;
  const bare = (rate: number, batch: number) =>
    highDimNoiseKernel(eigenvalues, examples, {
      learningRate: rate,
      batchSize: batch,
      ...descent,
      sampling,
      population,
    });
  const own = bare(learningRate, batchSize);
  if (!(own > 0) || own === Infinity) return null;
  const factor = noiseKernel / own;
  return {
    at: (rate, batch) => factor * bare(rate, batch),
    population,
    deterministicEdge: edgeRate(descent, lambdaMax),
  };
}

/** η at which K = 1 with this batch size. Relative error below 1e-6; the deterministic edge where K stays below 1 up to it. */
export function criticalRate(kernel: ScaledKernel, batchSize: number): number {
  let [low, high] = [kernel.deterministicEdge * 1e-9, kernel.deterministicEdge];
  if (kernel.at(low, batchSize) >= 1) return low;
  while (high / low > 1 + 1e-6) {
    const middle = Math.sqrt(low * high);
    if (kernel.at(middle, batchSize) >= 1) high = middle;
    else low = middle;
  }
  return Math.sqrt(low * high);
}

/** The smallest whole B at which K ≤ 1 with this learning rate; Infinity where no batch is large enough. */
export function criticalBatch(kernel: ScaledKernel, learningRate: number): number {
  let [low, high] = [1, kernel.population];
  if (!(kernel.at(learningRate, high) <= 1)) return Infinity;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (kernel.at(learningRate, middle) <= 1) high = middle;
    else low = middle + 1;
  }
  return low;
}
