import { checkArray, checkFinite, checkInteger, describe, LinalgRangeError, LinalgTypeError } from "./errors.js";
import { createRandom, type Random } from "./random.js";
import { tridiagonalEigen } from "./eigen/implicit-ql.js";

export interface LanczosOptions {
  /** Where to start, [size]: a former leading eigenvector makes a warm start. Default: random. */
  readonly start?: Float64Array;
  /** Most products with the operator. Default: min(size, 300). */
  readonly maxIterations?: number;
  /** Converged once every wanted pair has ‖A x − θ x‖ ≤ tolerance · max|θ|. Default 1e-10. */
  readonly tolerance?: number;
  /** How many of the largest eigenvalues. Default 1. */
  readonly wanted?: number;
  /** Source of the random start. Default: one with a fixed seed. */
  readonly rng?: Random;
}

export interface LanczosResult {
  /** The largest Ritz values, descending, [wanted]. */
  readonly values: Float64Array;
  /** Their unit vectors, [wanted, size] row-major: row k belongs to `values[k]`. */
  readonly vectors: Float64Array;
  /** ‖A x − θ x‖ of each: an eigenvalue lies within that distance of the Ritz value. */
  readonly ritzResiduals: Float64Array;
  /** Products with the operator. */
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * The largest eigenvalues of a symmetric operator by Lanczos' method with full reorthogonalisation, done twice.
 *
 * Of a repeated eigenvalue it may report a single copy.
 *
 * @param apply writes A x into y; must leave x alone
 * @param size the operator's dimension, at least 1
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

/** As `lanczos`, for an operator that answers later. `apply` returns A x; the array is read before the next call. */
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

/** The method itself: yields each vector that the operator is to be applied to, and is sent the product. */
function* lanczosTurns(
  where: string,
  apply: unknown,
  size: number,
  options: LanczosOptions,
): Generator<Float64Array, LanczosResult, Float64Array> {
  if (typeof apply !== "function")
    throw new LinalgTypeError(`${where}: apply: expected a function, got ${describe(apply)}.`);
  checkInteger(where, "size", size, 1);
  const { wanted = 1, tolerance = 1e-10, rng = createRandom("lanczos"), start } = options;
  checkInteger(where, "wanted", wanted, 1, size);
  const maxIterations = Math.min(size, options.maxIterations ?? 300);
  checkInteger(where, "maxIterations", options.maxIterations ?? 300, wanted);
  if (!(tolerance >= 0 && tolerance < 1))
    throw new LinalgRangeError(`${where}: tolerance: expected a number in [0, 1), got ${describe(tolerance)}.`);
  if (start !== undefined) {
    checkArray(where, "start", start, size, "size");
    checkFinite(where, "start", start);
    if (norm(start) === 0) throw new LinalgRangeError(`${where}: start: expected a vector other than zero.`);
  }

  const basis: Float64Array[] = [unit(start?.slice() ?? rng.normals(size))];
  const alpha: number[] = [];
  const beta: number[] = [];
  let blockStart = 0; // the first basis vector since the last breakdown
  let scale = 0;
  for (;;) {
    const q = basis[basis.length - 1]!;
    const w = Float64Array.from(yield q);
    checkArray(where, "apply's product", w, size, "size");
    checkFinite(where, "apply's product", w);
    alpha.push(dot(q, w));
    orthogonalise(w, basis);
    let next = norm(w);
    scale = Math.max(scale, Math.abs(alpha.at(-1)!) + next);
    const invariant = next <= 10 * Number.EPSILON * scale;
    if (invariant) next = 0;
    beta.push(next);

    const m = basis.length;
    const { values, last } = ritz(alpha, beta);
    const top = Math.max(Math.abs(values[0]!), Math.abs(values[m - 1]!));
    let settled = m >= wanted;
    for (let k = 0; k < Math.min(wanted, m); k++) settled &&= next * Math.abs(last[m - 1 - k]!) <= tolerance * top;
    // A start that the caller chose may lie in an invariant subspace without the largest eigenvalues: look outside it.
    if (invariant && start !== undefined && blockStart === 0 && m < maxIterations) settled = false;
    if (settled || m >= maxIterations) return result(basis, alpha, beta, wanted, size, settled || m === size);

    if (invariant) {
      blockStart = m;
      let fresh: Float64Array;
      do {
        fresh = rng.normals(size);
        orthogonalise(fresh, basis);
      } while (norm(fresh) < 1e-8);
      basis.push(unit(fresh));
    } else {
      basis.push(unit(w));
    }
  }
}

/** Eigenvalues of the projected matrix, ascending, and the last component of each of its eigenvectors. */
function ritz(alpha: readonly number[], beta: readonly number[]): { values: Float64Array; last: Float64Array } {
  const values = Float64Array.from(alpha);
  const last = new Float64Array(alpha.length);
  last[alpha.length - 1] = 1;
  tridiagonalEigen(values, Float64Array.from(beta), last, 1);
  return { values, last };
}

function result(
  basis: readonly Float64Array[],
  alpha: readonly number[],
  beta: readonly number[],
  wanted: number,
  size: number,
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
  for (let k = 0; k < wanted; k++) {
    const column = m - 1 - k;
    values[k] = ascending[column]!;
    ritzResiduals[k] = Math.abs(beta[m - 1]! * rotation[(m - 1) * m + column]!);
    const vector = vectors.subarray(k * size, (k + 1) * size);
    for (let j = 0; j < m; j++) addScaled(vector, rotation[j * m + column]!, basis[j]!);
    unit(vector);
  }
  return { values, vectors, ritzResiduals, iterations: m, converged };
}

/** Removes from w its components along the orthonormal basis, twice: once leaves rounding errors, twice is enough. */
function orthogonalise(w: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) for (const q of basis) addScaled(w, -dot(q, w), q);
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function addScaled(target: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < x.length; i++) target[i]! += factor * x[i]!;
}

function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function unit(x: Float64Array): Float64Array {
  const scale = 1 / norm(x);
  for (let i = 0; i < x.length; i++) x[i]! *= scale;
  return x;
}
