import { lanczosQuadrature, type Random } from "@sedge/linalg";
import { highDimNoiseKernel, type SgdSettings } from "@sedge/theory";
import { BadInput } from "../errors.js";
import type { SymmetricOperator } from "./curvature-operator.js";
import { estimateOf, scaled, withStandardError, type Estimate } from "./estimate.js";

export interface SpectralQuadratureOptions {
  /** Random vectors. Error bars shrink with their square root. Default 10. */
  readonly probes?: number;
  /** Products for each. What lies between extreme eigenvalues is resolved to about the range over this. Default 40. */
  readonly iterations?: number;
  readonly random: Random;
  /** Bytes for a Lanczos basis; above them it is not kept, and not reorthogonalised against. Default 1 GiB. */
  readonly memoryBudget?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A spectrum as random vectors see it. Plain data. */
export interface SpectralQuadrature {
  /** P, the number of eigenvalues. */
  readonly size: number;
  /** For each random vector: Ritz values, ascending, and their shares, which add up to 1. */
  readonly probes: readonly { readonly nodes: readonly number[]; readonly weights: readonly number[] }[];
  readonly products: number;
}

/**
 * Stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019): for random signs v,
 * E[vᵀ f(A) v] = tr f(A), and vᵀ f(A) v/P ≈ Σ_k w_k f(θ_k) by Lanczos from v.
 *
 * @throws BadInput for options that are not whole numbers of at least 1 (2 probes, for an error bar).
 */
export async function spectralQuadrature(
  operator: SymmetricOperator,
  { probes = 10, iterations = 40, random, memoryBudget = 2 ** 30, signal }: SpectralQuadratureOptions,
): Promise<SpectralQuadrature> {
  requireInteger("probes", probes, 2);
  requireInteger("iterations", iterations, 1);
  const { size } = operator;
  const reorthogonalise = 8 * size * Math.min(iterations, size) <= memoryBudget;
  const found: { nodes: readonly number[]; weights: readonly number[] }[] = [];
  let products = 0;
  for (let i = 0; i < probes; i++) {
    const { nodes, weights } = await lanczosQuadrature(
      (vector) => {
        signal?.throwIfAborted();
        products++;
        return operator.apply(vector);
      },
      randomSigns(size, random),
      { iterations, reorthogonalise },
    );
    found.push({ nodes: [...nodes], weights: [...weights] });
  }
  return { size, probes: found, products };
}

/**
 * tr f(A), an average over the random vectors. Its standard error is that of their spread, and at least √(2 Σ_k f(θ_k)²/m) over the
 * Ritz values of a vector: each stands for an eigenvalue at least, whose direction varies a vector's share of it by 2f². Few vectors
 * that all have little of the largest eigenvector agree with each other and are wrong together.
 */
export function traceOfFunction({ size, probes }: SpectralQuadrature, f: (eigenvalue: number) => number): Estimate {
  const spread = estimateOf(
    probes.map(({ nodes, weights }) => size * nodes.reduce((sum, node, k) => sum + weights[k]! * f(node), 0)),
  );
  // A node of rounding's weight is none: Lanczos had ended before it.
  const variances = probes.map(({ nodes, weights }) =>
    nodes.reduce((sum, node, k) => sum + (weights[k]! > 1e-14 ? 2 * f(node) ** 2 : 0), 0),
  );
  const least = Math.sqrt(variances.reduce((sum, x) => sum + x, 0)) / probes.length;
  return least > spread.standardError && size > 1 ? withStandardError(spread, least) : spread;
}

/** What the noise kernel needs to know of a run, besides its learning rate. */
export type SpectralKernelSettings = Omit<SgdSettings, "learningRate" | "population"> & {
  /** N. */
  readonly examples: number;
  /** C. */
  readonly outputs: number;
};

/**
 * K_highDim = Σ_μ G_μμ/(NC) (theory.md §3.3) from the spectrum of the Gauss–Newton matrix, whose eigenvalues other than zero
 * are those of Θ: at any size, without the NTK. `Infinity` where a Ritz value is at or past the deterministic edge.
 *
 * @param quadrature  Of the Gauss–Newton matrix of the mean loss over all N examples.
 */
export function highDimFromQuadrature(
  quadrature: SpectralQuadrature,
  { examples, outputs, ...sgd }: SpectralKernelSettings,
  learningRate: number,
): Estimate {
  const settings = { ...sgd, learningRate, population: examples };
  // A mode as a system of its own: a probe of one example, whose K is its G_μμ/N.
  const share = (eigenvalue: number) => (eigenvalue > 0 ? highDimNoiseKernel([eigenvalue], 1, settings) : 0);
  const isPast = quadrature.probes.some(({ nodes }) => share(nodes.at(-1)!) === Infinity);
  if (isPast) return { value: Infinity, standardError: NaN, low: NaN, high: NaN, samples: quadrature.probes.length };
  return scaled(traceOfFunction(quadrature, share), 1 / outputs);
}

/** A vector of independent ±1: of all random vectors with E[vvᵀ] = I the one whose vᵀAv varies least. */
export function randomSigns(size: number, random: Random): Float64Array {
  const bits = new Uint32Array(Math.ceil(size / 32));
  random.bitsInto(bits);
  return Float64Array.from({ length: size }, (_, i) => (((bits[i >>> 5]! >>> (i & 31)) & 1) === 1 ? 1 : -1));
}

function requireInteger(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new BadInput(`spectralQuadrature: ${name}: expected a whole number of at least ${least}, got ${value}.`);
}
