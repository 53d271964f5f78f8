import { tridiagonalEigen } from "./eigen/implicit-ql.js";
import { checkArray, checkFinite, checkInteger, describe, LinalgRangeError, LinalgTypeError } from "./errors.js";
import { addScaled, dot, norm, normalise, orthogonalise } from "./gram-schmidt.js";
import { createRandom, type Random } from "./random.js";

export interface LanczosOptions {
  /** Where to start, [size]: a former leading eigenvector makes a warm start. Default: random. */
  readonly start?: Float64Array | undefined;
  /** Most products with the operator, at least `wanted`. Default: 300, or 4 · wanted if more. Never above `size`. */
  readonly maxIterations?: number | undefined;
  /** How small is converged, in [0, 1). Default 1e-10. */
  readonly tolerance?: number | undefined;
  /**
   * What is compared with the tolerance, for each wanted pair (θ, x):
   *
   * - `"residual"` (default): r = ‖A x − θ x‖ ≤ tolerance · max|θ|; the vectors are good, the values better.
   * - `"value"`: min(r, r²/gap) ≤ tolerance · |θ|, gap being the distance to the next Ritz value: a bound on the error of
   *   the value, reached with fewer products.
   */
  readonly stop?: "residual" | "value" | undefined;
  /**
   * For `"value"`: what is known of the gap beforehand, a lower bound above 0, as from a similar operator. With it a start that
   * is accurate enough is accepted after one product; without, three are the least.
   */
  readonly gap?: number | undefined;
  /** How many of the largest eigenvalues. Default 1. */
  readonly wanted?: number | undefined;
  /** Source of the random vectors. Default: one with a fixed seed. */
  readonly rng?: Random | undefined;
}

export interface LanczosResult {
  /** The largest Ritz values, descending, [wanted]. */
  readonly values: Float64Array;
  /** Their unit vectors, [wanted, size] row-major: row k belongs to `values[k]`. */
  readonly vectors: Float64Array;
  /** ‖A x − θ x‖ of each: some eigenvalue lies within that distance of the Ritz value. */
  readonly ritzResiduals: Float64Array;
  /** Distance of each to the nearest other Ritz value. `Infinity` where there is no other. */
  readonly gaps: Float64Array;
  /** Products with the operator. */
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * The largest eigenvalues of a symmetric operator by Lanczos' method with full reorthogonalisation.
 *
 * Needs neither storage for the operator nor its smallest eigenvalues. Where the Krylov space of the start is exhausted it
 * goes on with a random vector orthogonal to it; of an eigenvalue that is repeated it may all the same report fewer copies
 * than there are.
 *
 * @param apply writes A x into y; must leave x alone, and A must be symmetric
 * @param size the operator's dimension, at least 1
 * @throws LinalgTypeError or LinalgRangeError for an argument that is not allowed, or a product with NaN or infinities
 */
export function lanczos(
  apply: (x: Float64Array, y: Float64Array) => void,
  size: number,
  options: LanczosOptions = {},
): LanczosResult {
  const turns = lanczosTurns("lanczos", apply, size, options);
  for (let turn = turns.next(); ;) {
    if (turn.done) return turn.value;
    const product = new Float64Array(size);
    apply(turn.value, product);
    turn = turns.next(product);
  }
}

/**
 * As `lanczos`, for an operator that answers later: the same arithmetic, so the same result to the last bit.
 *
 * @param apply returns A x, [size]; the array is copied before the next call
 */
export async function lanczosAsync(
  apply: (x: Float64Array) => Promise<Float64Array>,
  size: number,
  options: LanczosOptions = {},
): Promise<LanczosResult> {
  const turns = lanczosTurns("lanczosAsync", apply, size, options);
  for (let turn = turns.next(); ;) {
    if (turn.done) return turn.value;
    turn = turns.next(await apply(turn.value));
  }
}

interface Settings {
  readonly size: number;
  readonly wanted: number;
  readonly tolerance: number;
  readonly stop: "residual" | "value";
  readonly gap: number | undefined;
  readonly maxIterations: number;
  readonly rng: Random;
  readonly start: Float64Array | undefined;
}

function checkOptions(where: string, apply: unknown, size: number, options: LanczosOptions): Settings {
  if (typeof apply !== "function")
    throw new LinalgTypeError(`${where}: apply: expected a function, got ${describe(apply)}.`);
  checkInteger(where, "size", size, 1);
  const { wanted = 1, tolerance = 1e-10, stop = "residual", rng = createRandom("lanczos"), start, gap } = options;
  checkInteger(where, "wanted", wanted, 1, size);
  const maxIterations = options.maxIterations ?? Math.max(300, 4 * wanted);
  checkInteger(where, "maxIterations", maxIterations, wanted);
  if (typeof tolerance !== "number" || !(tolerance >= 0 && tolerance < 1))
    throw new LinalgRangeError(`${where}: tolerance: expected a number in [0, 1), got ${describe(tolerance)}.`);
  if (stop !== "residual" && stop !== "value")
    throw new LinalgRangeError(`${where}: stop: expected "residual" or "value", got ${describe(stop)}.`);
  if (gap !== undefined && !(typeof gap === "number" && gap > 0))
    throw new LinalgRangeError(`${where}: gap: expected a number above 0, got ${describe(gap)}.`);
  if (start !== undefined) {
    checkArray(where, "start", start, size, "size");
    checkFinite(where, "start", start);
    if (norm(start) === 0) throw new LinalgRangeError(`${where}: start: expected a vector other than zero.`);
  }
  return { size, wanted, tolerance, stop, gap, maxIterations: Math.min(size, maxIterations), rng, start };
}

/** The method itself: yields each vector that the operator is to be applied to, and is sent the product. */
function* lanczosTurns(
  where: string,
  apply: unknown,
  size: number,
  options: LanczosOptions,
): Generator<Float64Array, LanczosResult, Float64Array> {
  const settings = checkOptions(where, apply, size, options);
  const { rng, start, maxIterations } = settings;
  const basis: Float64Array[] = [normalise(start?.slice() ?? rng.normals(size))];
  const alpha: number[] = [];
  const beta: number[] = [];
  let blockStart = 0; // the first basis vector since the Krylov space was last exhausted
  let scale = 0;
  for (;;) {
    const product = yield basis.at(-1)!;
    checkArray(where, "the product from apply", product, size, "size");
    checkFinite(where, "the product from apply", product);
    const w = product.slice();
    const along = dot(basis.at(-1)!, w);
    orthogonalise(w, basis);
    const remainder = norm(w);
    scale = Math.max(scale, Math.abs(along) + remainder);
    const exhausted = remainder <= 10 * Number.EPSILON * scale;
    alpha.push(along);
    beta.push(exhausted ? 0 : remainder);

    const full = basis.length === maxIterations;
    const converged = basis.length === size || isConverged(alpha, beta, blockStart, settings);
    if (full || converged) return ritzPairs(basis, alpha, beta, settings, converged);
    if (exhausted) {
      blockStart = basis.length;
      basis.push(freshDirection(basis, settings));
    } else {
      basis.push(normalise(w));
    }
  }
}

/** A random unit vector orthogonal to the basis, which does not span the space. */
function freshDirection(basis: readonly Float64Array[], { rng, size }: Settings): Float64Array {
  for (;;) {
    const vector = normalise(rng.normals(size));
    orthogonalise(vector, basis);
    // Of what little is left, if the basis nearly spans the space, rounding is a part: orthogonalise once more.
    if (norm(vector) > 1e-10) {
      normalise(vector);
      orthogonalise(vector, basis);
      return normalise(vector);
    }
  }
}

function isConverged(
  alpha: readonly number[],
  beta: readonly number[],
  blockStart: number,
  { wanted, tolerance, stop, start, gap: known }: Settings,
): boolean {
  const m = alpha.length;
  const remainder = beta[m - 1]!;
  if (m < wanted) return false;
  const { values, last } = ritz(alpha, beta, 0);
  const top = Math.max(Math.abs(values[0]!), Math.abs(values[m - 1]!));
  for (let k = m - wanted; k < m; k++) {
    const residual = remainder * Math.abs(last[k]!);
    if (stop === "residual") {
      if (residual > tolerance * top) return false;
    } else if (residual > 0) {
      // The gap says little before there are a few Ritz values.
      if (m < 3 && known === undefined) return false;
      const gap = Math.max(residual, Math.min(known ?? Infinity, gapAt(values, k)));
      if (Math.min(residual, (residual * residual) / gap) > tolerance * Math.abs(values[k]!)) return false;
    }
  }

  // Outside a space that was exhausted there may be more: copies of an eigenvalue, or all that the given start lacked.
  if (blockStart === 0 && remainder > 0) return true;
  const block = ritz(alpha, beta, blockStart);
  const blockTop = block.values.at(-1)!;
  if (remainder * Math.abs(block.last.at(-1)!) > tolerance * top) return false;
  const unexplored = blockStart === 0 && start !== undefined;
  const amongWanted = wanted > 1 && blockTop >= values[m - wanted]! - Math.sqrt(Number.EPSILON) * top;
  return !(remainder === 0 && (unexplored || amongWanted));
}

/** From the k-th of ascending values to its nearer neighbour. */
function gapAt(values: Float64Array, k: number): number {
  const below = k > 0 ? values[k]! - values[k - 1]! : Infinity;
  const above = k < values.length - 1 ? values[k + 1]! - values[k]! : Infinity;
  return Math.min(below, above);
}

/** Eigenvalues of the projected matrix from a row on, ascending, and the last component of each of its eigenvectors. */
function ritz(
  alpha: readonly number[],
  beta: readonly number[],
  from: number,
): { values: Float64Array; last: Float64Array } {
  const values = Float64Array.from(alpha.slice(from));
  const last = new Float64Array(values.length);
  last[last.length - 1] = 1;
  tridiagonalEigen(values, Float64Array.from(beta.slice(from)), last, 1);
  return { values, last };
}

function ritzPairs(
  basis: readonly Float64Array[],
  alpha: readonly number[],
  beta: readonly number[],
  { size, wanted }: Settings,
  converged: boolean,
): LanczosResult {
  const m = basis.length;
  const ascending = Float64Array.from(alpha);
  const rotation = new Float64Array(m * m);
  for (let i = 0; i < m; i++) rotation[i * m + i] = 1;
  tridiagonalEigen(ascending, Float64Array.from(beta), rotation, m);
  const values = new Float64Array(wanted);
  const vectors = new Float64Array(wanted * size);
  const ritzResiduals = new Float64Array(wanted);
  const gaps = new Float64Array(wanted);
  for (let k = 0; k < wanted; k++) {
    const column = m - 1 - k;
    values[k] = ascending[column]!;
    gaps[k] = gapAt(ascending, column);
    ritzResiduals[k] = Math.abs(beta[m - 1]! * rotation[(m - 1) * m + column]!);
    const vector = vectors.subarray(k * size, (k + 1) * size);
    for (let j = 0; j < m; j++) addScaled(vector, rotation[j * m + column]!, basis[j]!);
    normalise(vector);
  }
  return { values, vectors, ritzResiduals, gaps, iterations: m, converged };
}
