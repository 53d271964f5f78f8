import { viewOf, wireFields } from "./protobuf.js";

/** Numbers of one event of a TensorBoard file. */
export interface ScalarEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** tensorflow/core/framework/types.proto */
const dtypes = { float: 1, double: 2, int32: 3, int64: 9, bfloat16: 14, half: 19 } as const;
const text = new TextDecoder();

/**
 * Reads the scalars out of events (tensorflow/core/util/event.proto): `simple_value`, as PyTorch and TensorFlow 1 write them,
 * and tensors of one number, as TensorFlow 2 does, unless their tag belongs to another plugin. A tag names its plugin in its
 * first event only, so one reader belongs to one file.
 */
export class ScalarReader {
  readonly #otherPlugins = new Set<string>();

  /** @throws RangeError where the event is no protobuf message */
  read(event: Uint8Array): ScalarEvent | null {
    let time = 0;
    let step = 0;
    const values: Record<string, number> = {};
    for (const { number, integer, bytes } of wireFields(event)) {
      if (number === 1 && bytes?.length === 8) time = viewOf(bytes).getFloat64(0, true) * 1000;
      else if (number === 2 && integer !== undefined) step = integer;
      else if (number === 5 && bytes !== undefined) this.#readSummary(bytes, values);
    }
    if (Object.keys(values).length === 0 || step >= 2 ** 53 || !Number.isFinite(time)) return null;
    return { time, step, values };
  }

  #readSummary(summary: Uint8Array, values: Record<string, number>): void {
    for (const { number, bytes } of wireFields(summary)) {
      if (number === 1 && bytes !== undefined) this.#readValue(bytes, values);
    }
  }

  #readValue(message: Uint8Array, values: Record<string, number>): void {
    let tag = "";
    let value: number | undefined;
    let tensor: Uint8Array | undefined;
    let plugin: string | undefined;
    for (const { number, bytes } of wireFields(message)) {
      if (bytes === undefined) continue;
      if (number === 1) tag = text.decode(bytes);
      else if (number === 2 && bytes.length === 4) value = viewOf(bytes).getFloat32(0, true);
      else if (number === 8) tensor = bytes;
      else if (number === 9) plugin = pluginOf(bytes);
    }
    if (plugin !== undefined && plugin !== "scalars") this.#otherPlugins.add(tag);
    if (tensor !== undefined && !this.#otherPlugins.has(tag)) value = onlyNumber(tensor);
    if (value !== undefined && tag !== "" && tag.length <= 250 && tag !== "__proto__") values[tag] = value;
  }
}

/** SummaryMetadata.plugin_data.plugin_name */
function pluginOf(metadata: Uint8Array): string | undefined {
  for (const { number, bytes } of wireFields(metadata)) {
    if (number !== 1 || bytes === undefined) continue;
    for (const field of wireFields(bytes)) if (field.number === 1 && field.bytes) return text.decode(field.bytes);
  }
  return undefined;
}

/** The number of a tensor that has one and is of a type for numbers. */
function onlyNumber(tensor: Uint8Array): number | undefined {
  let dtype = 0;
  let content: Uint8Array | undefined;
  const listed: number[] = [];
  for (const { number, integer, bytes } of wireFields(tensor)) {
    if (number === 1 && integer !== undefined) dtype = integer;
    else if (number === 4) content = bytes;
    // float_val, double_val: packed, or one by one.
    else if (number === 5 && bytes) {
      for (let i = 0; i + 4 <= bytes.length; i += 4) listed.push(viewOf(bytes).getFloat32(i, true));
    } else if (number === 6 && bytes) {
      for (let i = 0; i + 8 <= bytes.length; i += 8) listed.push(viewOf(bytes).getFloat64(i, true));
    } else if ((number === 7 || number === 10) && bytes) listed.push(...packedIntegers(bytes));
  }
  if (content !== undefined && content.length > 0) return contentNumber(content, dtype);
  return listed.length === 1 ? listed[0] : undefined;
}

/** int_val, int64_val: varints in a row, negative numbers as 64 bits of two's complement. */
function packedIntegers(bytes: Uint8Array): number[] {
  const integers: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    integers.push(Number(BigInt.asIntN(64, value)));
    value = shift = 0n;
  }
  return integers;
}

function contentNumber(content: Uint8Array, dtype: number): number | undefined {
  const view = viewOf(content);
  switch (dtype) {
    case dtypes.float:
      return content.length === 4 ? view.getFloat32(0, true) : undefined;
    case dtypes.double:
      return content.length === 8 ? view.getFloat64(0, true) : undefined;
    case dtypes.int32:
      return content.length === 4 ? view.getInt32(0, true) : undefined;
    case dtypes.int64:
      return content.length === 8 ? Number(view.getBigInt64(0, true)) : undefined;
    case dtypes.bfloat16:
      return content.length === 2 ? bfloat16(view.getUint16(0, true)) : undefined;
    case dtypes.half:
      return content.length === 2 ? half(view.getUint16(0, true)) : undefined;
    default:
      return undefined;
  }
}

/** The upper half of a float32. */
function bfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits * 2 ** 16);
  return view.getFloat32(0);
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
