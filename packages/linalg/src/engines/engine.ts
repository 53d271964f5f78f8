import type { Backend } from "../backend.js";
import type { Eigensystem } from "../eigh.js";
import type { ProductShape } from "../products.js";

/** One implementation of the dense work. Arguments have been checked. */
export interface Engine {
  readonly description: Backend;
  multiply(target: Float64Array, a: Float64Array, b: Float64Array, shape: ProductShape): void;
  /** As `multiply`, of which only the entries on and above the diagonal are wanted. */
  multiplySymmetric(target: Float64Array, a: Float64Array, b: Float64Array, shape: ProductShape): void;
  /** The same in single precision. */
  multiplySymmetricSingle(target: Float32Array, a: Float32Array, b: Float32Array, shape: ProductShape): void;
  /** target = a · U, [rows, size], reading only the upper triangle of `upper`. */
  multiplyTriangular(target: Float64Array, a: Float64Array, upper: Float64Array, rows: number, size: number): void;
  /** Fills the target, reading only the upper triangle. */
  eigh(target: Eigensystem, matrix: Float64Array, size: number): void;
  /** Fills `values`, ascending, reading only the upper triangle. */
  eigvalsh(values: Float64Array, matrix: Float64Array, size: number): void;
}
