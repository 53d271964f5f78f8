/** Element types and concrete tensors: the data that enters and leaves a graph. */

/** The element types Sedge handles, named as ONNX Runtime names them. */
export type DataType =
  | "float32"
  | "float64"
  | "float16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

/** A concrete array, row-major. float16 is held as its bits in a Uint16Array, bool as one byte an element. */
export interface Tensor {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

interface ArrayClass {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** The array class that holds each element type. */
export const arrayClasses: Readonly<Record<DataType, ArrayClass>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

export const isFloat = (type: DataType): boolean => type === "float32" || type === "float64" || type === "float16";

/**
 * A tensor from an array.
 *
 * @param shape  Defaults to one axis of the array's length.
 * @param type   Defaults to the array's own type, float32 for plain numbers. Another type converts the numbers.
 * @throws RangeError if the length is not the product of the shape.
 */
export function tensor(data: TypedArray | readonly number[], shape?: readonly number[], type?: DataType): Tensor {
  const dims = shape ?? [data.length];
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size !== data.length) {
    throw new RangeError(`tensor: a tensor of shape [${dims.join(", ")}] has ${size} elements, got ${data.length}.`);
  }
  const wanted = type ?? typeOf(data);
  return { type: wanted, shape: dims, data: convert(data, wanted) };
}

/** The only element of a one-element tensor, as a number. @throws RangeError if there are more, or none. */
export function scalarOf(tensor: Tensor): number {
  if (tensor.data.length !== 1) {
    throw new RangeError(
      `scalarOf: expected one element, got a ${tensor.type} tensor of shape [${tensor.shape.join(", ")}].`,
    );
  }
  return Number(tensor.data[0]);
}

/** The element type an array stands for when nobody says otherwise. */
export function typeOf(data: TypedArray | readonly number[]): DataType {
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof BigUint64Array) return "uint64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Uint8Array) return "uint8";
  return "float32";
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A number as an int64; the 2⁶³ of "to the very end" slices, which a double rounds up, is clamped. */
export function toInt64(value: number): bigint {
  const integer = BigInt(Math.trunc(value));
  return integer > INT64_MAX ? INT64_MAX : integer < INT64_MIN ? INT64_MIN : integer;
}

/** The same numbers in the array class of another type; the array itself where it already is of that class. */
export function convert(data: TypedArray | readonly number[], type: DataType): TypedArray {
  const ArrayClass = arrayClasses[type];
  if (data instanceof ArrayClass) return data;
  const source = data as ArrayLike<number | bigint>;
  const target = new ArrayClass(source.length);
  if (target instanceof BigInt64Array || target instanceof BigUint64Array) {
    for (let i = 0; i < source.length; i++) target[i] = toInt64(Number(source[i]));
  } else if (type === "bool") {
    for (let i = 0; i < source.length; i++) target[i] = source[i] ? 1 : 0;
  } else {
    for (let i = 0; i < source.length; i++) target[i] = Number(source[i]);
  }
  return target;
}

/** Elements as numbers. int64 beyond 2⁵³ rounds. */
export function numbersOf({ data }: Tensor): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
