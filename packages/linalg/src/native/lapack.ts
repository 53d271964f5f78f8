import type { Backend } from "../backend.js";
import type { Engine } from "../engines/engine.js";
import { typescriptEngine } from "../engines/typescript.js";
import type { ProductShape } from "../products.js";
import { transposeSquare } from "../transpose.js";
import { largeArray } from "./memory.js";
import type { Library, Routines } from "./routines.js";

const ONE = Float64Array.of(1);
const ZERO = Float64Array.of(0);
const SINGLE_ONE = Float32Array.of(1);
const SINGLE_ZERO = Float32Array.of(0);

/**
 * An integer argument, in eight bytes: libraries built for 64-bit integers read all of them, the others the first four.
 * (All machines that Node runs on where such libraries exist are little-endian or have none.)
 */
const integer = (value: number): Int32Array => Int32Array.of(value, value < 0 ? -1 : 0);

/** Up to this many multiplications take less time than the call of a library. */
const TINY = 512;

/** Its workspace, 2n² numbers, must be countable in 32-bit integers. */
const LARGEST_EIGENPROBLEM = 32_000;

/**
 * The dense work by a LAPACK library. Its matrices are column-major: a row-major matrix is its own transpose there, and an
 * upper triangle a lower one.
 */
export function lapackEngine(library: Library): Engine {
  const { routines, name, path, threads, core } = library;
  const description: Backend = {
    name: "lapack",
    library: name,
    path,
    ...(threads === undefined ? {} : { threads }),
    ...(core === undefined ? {} : { core }),
  };
  return {
    description,

    multiply(target, a, b, shape) {
      const { rows, inner, columns } = shape;
      if (rows * inner * columns <= TINY) typescriptEngine.multiply(target, a, b, shape);
      else if (columns === 1) timesVector(routines, target, a, b, rows, inner, shape.transposeA ?? false);
      else if (rows === 1) timesVector(routines, target, b, a, columns, inner, !(shape.transposeB ?? false));
      else product(routines.dgemm, [ONE, ZERO], target, a, b, shape, 0, 0);
    },

    multiplySymmetric(target, a, b, shape) {
      symmetricProduct(routines.dgemm, [ONE, ZERO], target, a, b, shape);
    },

    multiplySymmetricSingle(target, a, b, shape) {
      symmetricProduct(routines.sgemm, [SINGLE_ONE, SINGLE_ZERO], target, a, b, shape);
    },

    multiplyTriangular(target, a, upper, rows, size) {
      target.set(a);
      if (rows === 0 || size === 0) return;
      // (A U)ᵀ = Uᵀ Aᵀ, Uᵀ a lower triangle applied from the left.
      const [m, n] = [integer(size), integer(rows)];
      routines.dtrmm("L", "L", "N", "N", m, n, ONE, upper, m, target, m);
    },

    eigh({ values, vectors }, matrix, size) {
      vectors.set(matrix);
      if (solve(routines, "V", vectors, values, size)) transposeSquare(vectors, size);
      else typescriptEngine.eigh({ values, vectors }, matrix, size);
    },

    eigvalsh(values, matrix, size) {
      if (!solve(routines, "N", matrix.slice(), values, size)) typescriptEngine.eigvalsh(values, matrix, size);
    },
  };
}

/** target = A x for A [rows, inner], or stored [inner, rows] if transposed. */
function timesVector(
  { dgemv }: Routines,
  target: Float64Array,
  a: Float64Array,
  x: Float64Array,
  rows: number,
  inner: number,
  transposed: boolean,
): void {
  const [m, n] = transposed ? [rows, inner] : [inner, rows];
  const one = integer(1);
  dgemv(transposed ? "N" : "T", integer(m), integer(n), ONE, a, integer(m), x, one, ZERO, target, one);
}

/** In bands of rows, each from its diagonal on: eight do 9/16 of the whole product's work. */
function symmetricProduct<Numbers extends Float64Array | Float32Array>(
  gemm: Routines["dgemm"],
  coefficients: readonly [Numbers, Numbers],
  target: Numbers,
  a: Numbers,
  b: Numbers,
  shape: ProductShape,
): void {
  const { rows: size, inner } = shape;
  if (size === 0) return;
  if (inner === 0) return void target.fill(0);
  const band = Math.max(48, Math.ceil(size / 8));
  for (let from = 0; from < size; from += band) product(gemm, coefficients, target, a, b, shape, from, band);
}

/** The product, or with a band of more than 0 rows its part from row and column `from` on, that many rows high. */
function product<Numbers extends Float64Array | Float32Array>(
  gemm: Routines["dgemm"],
  [one, zero]: readonly [Numbers, Numbers],
  target: Numbers,
  a: Numbers,
  b: Numbers,
  shape: ProductShape,
  from: number,
  band: number,
): void {
  const { rows, inner, columns, transposeA = false, transposeB = false } = shape;
  // (A B)ᵀ = Bᵀ Aᵀ.
  gemm(
    transposeB ? "T" : "N",
    transposeA ? "T" : "N",
    integer(columns - from),
    integer(band > 0 ? Math.min(band, rows - from) : rows),
    integer(inner),
    one,
    b.subarray(transposeB ? from * inner : from),
    integer(transposeB ? inner : columns),
    a.subarray(transposeA ? from : from * inner),
    integer(transposeA ? rows : inner),
    zero,
    target.subarray(from * columns + from),
    integer(columns),
  );
}

interface WorkArrays {
  readonly work: Float64Array;
  readonly integers: Int32Array;
}

let kept: WorkArrays = { work: new Float64Array(0), integers: new Int32Array(0) };
/** Larger work arrays are given back to the garbage collector. 128 MB. */
const KEEP_WORDS = 2 ** 24;

/** At least that long, kept for the next call: memory fresh from the system costs more to touch than to compute with. */
function workArrays(words: number, integers: number): WorkArrays {
  if (kept.work.length >= words && kept.integers.length >= integers) return kept;
  const arrays = { work: largeArray(words), integers: new Int32Array(integers) };
  if (words <= KEEP_WORDS) kept = arrays;
  return arrays;
}

/**
 * Divide and conquer (dsyevd).
 *
 * @param matrix overwritten, with the eigenvectors as rows if the job is "V"
 * @returns false if the library cannot: too large for it, or it reports that it did not converge
 */
function solve(
  { dsyevd }: Routines,
  job: "V" | "N",
  matrix: Float64Array,
  values: Float64Array,
  size: number,
): boolean {
  if (size > LARGEST_EIGENPROBLEM) return false;
  if (size === 0) return true;
  const n = integer(size);
  const info = integer(0);
  const query = { work: new Float64Array(1), integers: new Int32Array(2) };
  const ask = integer(-1);
  dsyevd(job, "L", n, matrix, n, values, query.work, ask, query.integers, ask, info);
  if (info[0] !== 0) return false;
  const { work, integers } = workArrays(query.work[0]!, 2 * query.integers[0]!);
  dsyevd(job, "L", n, matrix, n, values, work, integer(work.length), integers, integer(integers.length / 2), info);
  return info[0] === 0;
}
