import { engine } from "./backend.js";
import { checkArray, checkFinite, checkInteger } from "./errors.js";

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
 * @throws LinalgRangeError if the length is not size², or an entry is not finite
 */
export function eigh(matrix: Float64Array, size: number): Eigensystem {
  checkSquare("eigh", matrix, size);
  return engine().eigh(matrix, size);
}

/** The eigenvalues of a real symmetric matrix, ascending. As `eigh`, without the vectors. */
export function eigvalsh(matrix: Float64Array, size: number): Float64Array {
  checkSquare("eigvalsh", matrix, size);
  return engine().eigvalsh(matrix, size);
}

function checkSquare(where: string, matrix: Float64Array, size: number): void {
  checkInteger(where, "size", size, 0);
  checkArray(where, "matrix", matrix, size * size, `size × size = ${size} × ${size}`);
  checkFinite(where, "matrix", matrix);
}
