import { backend, lanczos } from "@sedge/linalg";
import { compressedMap } from "./compressed-map.js";
import type { LinearSystem } from "./linear-system.js";
import { responseFactors } from "./response-factors.js";

/** What single precision adds to the error of the compressed map, relative to its largest eigenvalue. */
const SINGLE_PRECISION = 1e-6;
const MOST_CORRECTIONS = 6;

export interface CompressedPerron {
  /** The Rayleigh quotient of `perron` in the map itself, and ‖T W − K W‖ there. */
  readonly value: number;
  readonly ritzResidual: number;
  /** Blocks [N, C, C], unit norm. */
  readonly perron: Float64Array;
  /** Products with the map itself. */
  readonly iterations: number;
  /** To the tolerance. If not, the blocks are a good start at best. */
  readonly converged: boolean;
}

/**
 * The Perron pair of the map T by way of T_c, G compressed to a few factors in single precision: many cheap products and a few whole
 * ones. Its Perron vector W has an error of first order in T − T_c, and its Rayleigh quotient in T one of second order. Should that
 * not do, the next W is that of
 *
 *     T' = T_c + e Wᵀ + W eᵀ − (e·W) W Wᵀ,   e = (T − T_c) W
 *
 * which agrees with T in all that W takes part in: each time the residual shrinks by ‖T − T_c‖/gap.
 *
 * @param map T: writes the image of symmetric blocks [N, C, C] into `result`
 * @param start blocks, positive semidefinite and not zero on any part
 * @param tolerance relative accuracy of the value
 * @param mostFactors by default with how many it still pays
 * @returns null where it would cost more than it saves, or cannot be done
 */
export function compressedPerron(
  system: LinearSystem,
  response: (lambda: number, other: number) => number,
  map: (blocks: Float64Array, result: Float64Array) => void,
  tolerance: number,
  start: Float64Array,
  mostFactors = worthwhileFactors(system),
): CompressedPerron | null {
  const compressed = compress(system, response, tolerance, mostFactors);
  if (compressed === null) return null;
  const settings = { tolerance: Math.max(0.5 * tolerance, 1e-14), stop: "value", maxIterations: 60 } as const;
  const first = lanczos(compressed.apply, start.length, { ...settings, start });
  // A gap within which T and T_c may order the two largest eigenvalues differently is none.
  const gap = Math.min(first.gaps[0]!, first.values[0]!) - 2 * compressed.error(first.values[0]!);
  let perron = first.vectors;
  const image = new Float64Array(start.length);
  let before = Infinity;
  for (let iterations = 1; ; iterations++) {
    map(perron, image);
    const value = dot(perron, image);
    const ritzResidual = residualNorm(image, value, perron);
    const excess = Math.min(ritzResidual, ritzResidual ** 2 / Math.max(ritzResidual, gap));
    const converged = gap > 0 && excess <= tolerance * value;
    if (converged || gap <= 0 || ritzResidual > 0.3 * before || iterations > MOST_CORRECTIONS)
      return { value, ritzResidual, perron, iterations, converged };
    before = ritzResidual;
    const corrected = correctedMap(compressed.apply, perron, image);
    perron = lanczos(corrected, start.length, { ...settings, start: perron }).vectors;
  }
}

/** T' of `compressedPerron`, by the parts of its argument along W and across it. */
function correctedMap(
  compressed: (blocks: Float64Array, result: Float64Array) => void,
  perron: Float64Array,
  imageOfPerron: Float64Array,
): (blocks: Float64Array, result: Float64Array) => void {
  const image = imageOfPerron.slice();
  const difference = new Float64Array(perron.length);
  compressed(perron, difference);
  for (let at = 0; at < difference.length; at++) difference[at] = image[at]! - difference[at]!;
  const across = new Float64Array(perron.length);
  return (blocks, result) => {
    const along = dot(blocks, perron);
    for (let at = 0; at < across.length; at++) across[at] = blocks[at]! - along * perron[at]!;
    compressed(across, result);
    const back = dot(difference, across);
    for (let at = 0; at < result.length; at++) result[at]! += along * image[at]! + back * perron[at]!;
  };
}

/** T_c, and a bound on the error of its eigenvalues given the largest. */
function compress(
  system: LinearSystem,
  response: (lambda: number, other: number) => number,
  tolerance: number,
  mostFactors: number,
) {
  const { eigenvalues, size } = system;
  const diagonal = eigenvalues.map((lambda) => response(lambda, lambda));
  const highDim = diagonal.reduce((sum, g) => sum + g, 0) / size; // at most K
  if (!(highDim > 0) || mostFactors < 1) return null;
  const allowed = highDim * Math.min(5e-3, Math.max(0.5 * Math.sqrt(tolerance), 1e-4));
  const { factors, error } = responseFactors(eigenvalues, response, allowed, mostFactors);
  if (error > allowed) return null;
  // Within the range of single precision, whatever the units.
  const scale = diagonal.reduce((largest, g) => Math.max(largest, g), 0);
  const unit = factors.map((factor) => factor.map((a) => a / Math.sqrt(scale)));
  const map = compressedMap(system, unit);
  if (map === null) return null;
  return {
    apply: (blocks: Float64Array, result: Float64Array): void => {
      map(blocks, result);
      for (let at = 0; at < result.length; at++) result[at]! *= scale;
    },
    error: (largest: number) => error + SINGLE_PRECISION * largest,
  };
}

/**
 * With how many factors compression still pays: the map's own products are (NC)²·rank multiplications each and some fifteen in number.
 * Its kernel runs at a quarter of a BLAS library's speed, and at twice that of products in TypeScript.
 */
function worthwhileFactors({ examples, outputs, size, rank }: LinearSystem): number {
  const whole = size * size * rank;
  const setUp = 0.5 * whole;
  const compressed = 1.5 * examples * examples * outputs ** 3;
  const slowness = backend().name === "lapack" ? 4 : 0.5;
  return Math.floor((13 * whole) / (setUp + 20 * slowness * compressed));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

/** ‖image − value · vector‖. */
function residualNorm(image: Float64Array, value: number, vector: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < image.length; at++) sum += (image[at]! - value * vector[at]!) ** 2;
  return Math.sqrt(sum);
}
