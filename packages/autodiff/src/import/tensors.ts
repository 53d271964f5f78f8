/** TensorProto to Tensor: raw bytes, typed fields and external files, with lengths checked before anything is read. */
import type { TensorProto } from "../onnx/proto.js";
import { onnxTypes } from "../onnx/types.js";
import { arrayClasses, convert, tensor, type DataType, type Tensor, type TypedArray } from "../ir/tensor.js";
import type { Refuse } from "./refuse.js";

/**
 * Where a model's external data are: files by the names the model calls them, or a function that returns the `length`
 * bytes of `location` from `offset` on (all that follow, for null).
 */
export type ExternalData =
  Readonly<Record<string, Uint8Array>> | ((location: string, offset: number, length: number | null) => Uint8Array);

export interface TensorOptions {
  readonly externalData: ExternalData | undefined;
  readonly float16: "refuse" | "float32";
}

const BFLOAT16 = 16;
const EXTERNAL = 1;
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The tensor a message holds. `what` names it in messages: `initializer "conv.weight"`. */
export function readTensor(proto: TensorProto, what: string, options: TensorOptions, refuse: Refuse): Tensor {
  const shape = proto.dims ?? [];
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0))
    refuse(`${what} has dimensions [${shape.join(", ")}]`);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const stored = storedType(proto.data_type, what, refuse);
  const half = stored === "float16";
  if (half && options.float16 === "refuse") {
    refuse(
      `${what} is ${proto.data_type === BFLOAT16 ? "bfloat16" : "float16"}, too coarse to differentiate; pass { float16: "float32" } to read it as float32`,
    );
  }
  const data = readElements(proto, stored, size, what, options, refuse);
  if (!half) return tensor(data, shape, stored);
  const widen = proto.data_type === BFLOAT16 ? fromBfloat16 : fromFloat16;
  return tensor(Float32Array.from(data as Uint16Array, widen), shape, "float32");
}

function storedType(number: number, what: string, refuse: Refuse): DataType {
  if (number === BFLOAT16) return "float16";
  return (
    onnxTypes.nameOf(number) ?? refuse(`${what} has element type ${number}, which is none of the types Sedge reads`)
  );
}

function readElements(
  proto: TensorProto,
  type: DataType,
  size: number,
  what: string,
  options: TensorOptions,
  refuse: Refuse,
): TypedArray {
  const ArrayClass = arrayClasses[type];
  const expected = size * ArrayClass.BYTES_PER_ELEMENT;
  const fromBytes = (bytes: Uint8Array): TypedArray => {
    if (bytes.byteLength !== expected) {
      refuse(
        `${what}: expected ${expected} bytes for ${type} [${(proto.dims ?? []).join(", ")}], got ${bytes.byteLength}`,
      );
    }
    const copy = new Uint8Array(bytes); // aligned, and independent of the file
    if (!littleEndian && ArrayClass.BYTES_PER_ELEMENT > 1) reverseEach(copy, ArrayClass.BYTES_PER_ELEMENT);
    return new ArrayClass(copy.buffer, copy.byteOffset, size);
  };
  if (proto.data_location === EXTERNAL)
    return fromBytes(readExternal(proto, expected, what, options.externalData, refuse));
  if (proto.raw_data?.length) return fromBytes(proto.raw_data);

  const typed = typedField(proto, type);
  if (typed.length !== size) {
    refuse(`${what}: expected ${size} elements for [${(proto.dims ?? []).join(", ")}], got ${typed.length}`);
  }
  return convert(typed, type);
}

function typedField(proto: TensorProto, type: DataType): readonly number[] {
  switch (type) {
    case "float32":
      return proto.float_data ?? [];
    case "float64":
      return proto.double_data ?? [];
    case "int64":
      return proto.int64_data ?? [];
    case "uint64":
    case "uint32":
      return proto.uint64_data ?? [];
    case "float16":
    case "int32":
    case "int16":
    case "int8":
    case "uint16":
    case "uint8":
    case "bool":
      return proto.int32_data ?? [];
  }
}

function readExternal(
  proto: TensorProto,
  expected: number,
  what: string,
  source: ExternalData | undefined,
  refuse: Refuse,
): Uint8Array {
  const entries = new Map((proto.external_data ?? []).map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  const offset = Number(entries.get("offset") ?? 0);
  const length = entries.has("length") ? Number(entries.get("length")) : null;
  if (location === undefined || location === "") return refuse(`${what} is external data without a location`);
  if (!Number.isSafeInteger(offset) || offset < 0 || (length !== null && length !== expected)) {
    return refuse(
      `${what}: expected ${expected} bytes of "${location}", got offset ${offset}, length ${length ?? "unknown"}`,
    );
  }
  if (source === undefined) {
    return refuse(
      `${what} is kept in the file "${location}"; pass its bytes as { externalData: { "${location}": bytes } }, or use importOnnxFile from "@sedge/autodiff/node"`,
    );
  }
  if (typeof source === "function") return source(location, offset, expected);
  const file = Object.hasOwn(source, location)
    ? source[location]!
    : refuse(`${what} is kept in the file "${location}", which externalData does not have`);
  if (offset + expected > file.byteLength) {
    return refuse(
      `${what}: expected bytes ${offset} to ${offset + expected} of "${location}", which has ${file.byteLength}`,
    );
  }
  return file.subarray(offset, offset + expected);
}

function reverseEach(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** IEEE 754 half precision from its bits. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return wordAsFloat[0]!;
}
