import { checkArray, checkInteger } from "./errors.js";

export interface ProductShape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** a is stored [inner, rows]. Default false: [rows, inner]. */
  readonly transposeA?: boolean;
  /** b is stored [columns, inner]. Default false: [inner, columns]. */
  readonly transposeB?: boolean;
}

/**
 * The product op(a) · op(b), [rows, columns] row-major, op being the transpose where the shape says so.
 *
 * @throws LinalgRangeError or LinalgTypeError for sizes that do not match
 */
export function multiply(a: Float64Array, b: Float64Array, shape: ProductShape): Float64Array {
  checkProduct("multiply", a, b, shape);
  const target = new Float64Array(shape.rows * shape.columns);
  multiplyUnchecked(target, a, b, shape);
  return target;
}

/**
 * As `multiply`, writing the product into `target` ([rows, columns]) and returning it. `target` must not overlap a or b.
 */
export function multiplyInto(
  target: Float64Array,
  a: Float64Array,
  b: Float64Array,
  shape: ProductShape,
): Float64Array {
  checkProduct("multiplyInto", a, b, shape);
  const { rows, columns } = shape;
  checkArray("multiplyInto", "target", target, rows * columns, `rows × columns = ${rows} × ${columns}`);
  multiplyUnchecked(target, a, b, shape);
  return target;
}

function checkProduct(where: string, a: Float64Array, b: Float64Array, { rows, inner, columns }: ProductShape): void {
  checkInteger(where, "rows", rows, 0);
  checkInteger(where, "inner", inner, 0);
  checkInteger(where, "columns", columns, 0);
  checkArray(where, "a", a, rows * inner, `rows × inner = ${rows} × ${inner}`);
  checkArray(where, "b", b, inner * columns, `inner × columns = ${inner} × ${columns}`);
}

function multiplyUnchecked(target: Float64Array, a: Float64Array, b: Float64Array, shape: ProductShape): void {
  const { rows, inner, columns } = shape;
  const left = shape.transposeA ? transpose(a, inner, rows) : a;
  const right = shape.transposeB ? transpose(b, columns, inner) : b;
  target.fill(0);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = left[i * inner + k]!;
      for (let j = 0; j < columns; j++) target[i * columns + j]! += factor * right[k * columns + j]!;
    }
  }
}

/** The transpose of an [rows, columns] matrix. */
function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j]!;
  }
  return result;
}
