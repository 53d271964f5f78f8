import { engine } from "./backend.js";
import { checkApart, checkArray, checkInteger, checkSingles, checkTarget } from "./errors.js";
import { mirrorUpper } from "./transpose.js";

/** Sizes of a product of an [rows, inner] by an [inner, columns] matrix. */
export interface ProductShape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** a is stored [inner, rows]. Default false: [rows, inner]. */
  readonly transposeA?: boolean | undefined;
  /** b is stored [columns, inner]. Default false: [inner, columns]. */
  readonly transposeB?: boolean | undefined;
}

export interface SymmetricProductShape {
  /** Rows and columns of the product. */
  readonly size: number;
  readonly inner: number;
  /** a is stored [inner, size]. Default false: [size, inner]. */
  readonly transposeA?: boolean | undefined;
  /** b is stored [size, inner]. Default false: [inner, size]. */
  readonly transposeB?: boolean | undefined;
  /** Copy the upper triangle onto the lower. Default true; without, what lies below the diagonal is unspecified. */
  readonly mirror?: boolean;
}

export interface TriangularProductShape {
  readonly rows: number;
  /** The triangle is [size, size], and a and the product are [rows, size]. */
  readonly size: number;
}

/**
 * The product op(a) · op(b), [rows, columns] row-major, op being the transpose where the shape says so.
 *
 * @throws LinalgRangeError or LinalgTypeError for sizes that do not match
 */
export function multiply(a: Float64Array, b: Float64Array, shape: ProductShape): Float64Array {
  checkProduct("multiply", a, b, shape);
  const target = new Float64Array(shape.rows * shape.columns);
  engine().multiply(target, a, b, shape);
  return target;
}

/**
 * As `multiply`, writing the product into `target` ([rows, columns]) and returning it.
 *
 * @throws LinalgRangeError also if `target` shares memory with a or b
 */
export function multiplyInto(
  target: Float64Array,
  a: Float64Array,
  b: Float64Array,
  shape: ProductShape,
): Float64Array {
  checkProduct("multiplyInto", a, b, shape);
  const { rows, columns } = shape;
  checkTarget("multiplyInto", "target", target, rows * columns, `rows × columns = ${rows} × ${columns}`, { a, b });
  engine().multiply(target, a, b, shape);
  return target;
}

/**
 * The product op(a) · op(b) where it is known to be symmetric, such as Vᵀ (W V) with a symmetric W: half the work.
 *
 * Only the upper triangle is computed. Whether the product is symmetric is not checked.
 */
export function multiplySymmetric(a: Float64Array, b: Float64Array, shape: SymmetricProductShape): Float64Array {
  const product = squareProduct(shape);
  checkProduct("multiplySymmetric", a, b, product, SYMMETRIC_NAMES);
  return symmetricInto(new Float64Array(shape.size * shape.size), a, b, product, shape.mirror);
}

/** As `multiplySymmetric`, writing into `target` ([size, size]) and returning it. */
export function multiplySymmetricInto(
  target: Float64Array,
  a: Float64Array,
  b: Float64Array,
  shape: SymmetricProductShape,
): Float64Array {
  const { size } = shape;
  const product = squareProduct(shape);
  checkProduct("multiplySymmetricInto", a, b, product, SYMMETRIC_NAMES);
  checkTarget("multiplySymmetricInto", "target", target, size * size, `size × size = ${size} × ${size}`, { a, b });
  return symmetricInto(target, a, b, product, shape.mirror);
}

/**
 * As `multiplySymmetricInto` in single precision, without the copy below the diagonal: what lies there is unspecified. Twice as fast in a library; for work that is corrected afterwards.
 */
export function multiplySymmetricSingleInto(
  target: Float32Array,
  a: Float32Array,
  b: Float32Array,
  shape: Omit<SymmetricProductShape, "mirror">,
): Float32Array {
  const where = "multiplySymmetricSingleInto";
  const { size, inner } = shape;
  checkInteger(where, "size", size, 0);
  checkInteger(where, "inner", inner, 0);
  checkSingles(where, "a", a, size * inner, `size × inner = ${size} × ${inner}`);
  checkSingles(where, "b", b, size * inner, `inner × size = ${inner} × ${size}`);
  checkSingles(where, "target", target, size * size, `size × size = ${size} × ${size}`);
  checkApart(where, "target", target, { a, b });
  engine().multiplySymmetricSingle(target, a, b, squareProduct(shape));
  return target;
}

/**
 * The product a · U with an upper triangular U: half the work. What lies below the diagonal of `upper` is not read, so U
 * may be one half of a symmetric matrix: with S = U + Uᵀ (half its diagonal in each), A S Aᵀ = (A U) Aᵀ + its transpose.
 */
export function multiplyTriangular(
  a: Float64Array,
  upper: Float64Array,
  { rows, size }: TriangularProductShape,
): Float64Array {
  checkProduct("multiplyTriangular", a, upper, { rows, inner: size, columns: size }, TRIANGULAR_NAMES);
  const target = new Float64Array(rows * size);
  engine().multiplyTriangular(target, a, upper, rows, size);
  return target;
}

/** As `multiplyTriangular`, writing into `target` ([rows, size]) and returning it. */
export function multiplyTriangularInto(
  target: Float64Array,
  a: Float64Array,
  upper: Float64Array,
  { rows, size }: TriangularProductShape,
): Float64Array {
  checkProduct("multiplyTriangularInto", a, upper, { rows, inner: size, columns: size }, TRIANGULAR_NAMES);
  checkTarget("multiplyTriangularInto", "target", target, rows * size, `rows × size = ${rows} × ${size}`, { a, upper });
  engine().multiplyTriangular(target, a, upper, rows, size);
  return target;
}

function squareProduct({ size, inner, transposeA, transposeB }: SymmetricProductShape): ProductShape {
  return { rows: size, inner, columns: size, transposeA, transposeB };
}

function symmetricInto(
  target: Float64Array,
  a: Float64Array,
  b: Float64Array,
  product: ProductShape,
  mirror = true,
): Float64Array {
  engine().multiplySymmetric(target, a, b, product);
  if (mirror) mirrorUpper(target, product.rows);
  return target;
}

const PRODUCT_NAMES = { rows: "rows", inner: "inner", columns: "columns", b: "b" };
const SYMMETRIC_NAMES = { rows: "size", inner: "inner", columns: "size", b: "b" };
const TRIANGULAR_NAMES = { rows: "rows", inner: "size", columns: "size", b: "upper" };

function checkProduct(
  where: string,
  a: Float64Array,
  b: Float64Array,
  { rows, inner, columns }: ProductShape,
  names = PRODUCT_NAMES,
): void {
  checkInteger(where, names.rows, rows, 0);
  checkInteger(where, names.inner, inner, 0);
  checkInteger(where, names.columns, columns, 0);
  checkArray(where, "a", a, rows * inner, `${names.rows} × ${names.inner} = ${rows} × ${inner}`);
  checkArray(where, names.b, b, inner * columns, `${names.inner} × ${names.columns} = ${inner} × ${columns}`);
}
