import { native } from "#native";
import { engine } from "./backend.js";
import { checkArray, checkFinite, checkInteger, checkTarget } from "./errors.js";

export interface Eigensystem {
  /** Ascending, [size]. */
  readonly values: Float64Array;
  /** Orthonormal, [size, size] row-major: column k belongs to `values[k]`. */
  readonly vectors: Float64Array;
}

/**
 * All eigenpairs of a real symmetric matrix: A = V diag(λ) Vᵀ.
 *
 * @param matrix symmetric, [size, size] row-major; only its upper triangle is read
 * @throws LinalgTypeError or LinalgRangeError if it is not a Float64Array of size² finite numbers
 */
export function eigh(matrix: Float64Array, size: number): Eigensystem {
  checkSquare("eigh", matrix, size);
  const target = { values: new Float64Array(size), vectors: native.largeArray(size * size) };
  engine().eigh(target, matrix, size);
  return target;
}

/**
 * As `eigh`, writing into the arrays of `target` and returning it: a large array costs time each time it is allocated.
 *
 * @throws LinalgRangeError also if `target.vectors` is `matrix`
 */
export function eighInto(target: Eigensystem, matrix: Float64Array, size: number): Eigensystem {
  checkSquare("eighInto", matrix, size);
  checkArray("eighInto", "target.values", target.values, size, "size");
  checkTarget("eighInto", "target.vectors", target.vectors, size * size, `size × size = ${size} × ${size}`, { matrix });
  engine().eigh(target, matrix, size);
  return target;
}

/** The eigenvalues of a real symmetric matrix, ascending. As `eigh`, without the vectors. */
export function eigvalsh(matrix: Float64Array, size: number): Float64Array {
  checkSquare("eigvalsh", matrix, size);
  const values = new Float64Array(size);
  engine().eigvalsh(values, matrix, size);
  return values;
}

function checkSquare(where: string, matrix: Float64Array, size: number): void {
  checkInteger(where, "size", size, 0);
  checkArray(where, "matrix", matrix, size * size, `size × size = ${size} × ${size}`);
  checkFinite(where, "matrix", matrix);
}
