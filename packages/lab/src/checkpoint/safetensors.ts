import { z } from "zod";
import { BadInput } from "../errors.js";

/** A named array of a safetensors file. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** What a safetensors file holds: tensors, and text about them. */
export interface TensorFile {
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const count = z.int().min(0);
const entrySchema = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const metadataSchema = z.record(z.string(), z.string());
type HeaderEntry = z.output<typeof entrySchema>;

/**
 * The bytes of a safetensors file: the header's length as a little-endian uint64, the header as JSON, then the tensors.
 * https://huggingface.co/docs/safetensors. Doubles come first and the header is padded, so that everything is aligned.
 */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: Record<string, HeaderEntry | Readonly<Record<string, string>>> = { __metadata__: metadata };
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    const dtype = data instanceof Float64Array ? "F64" : "F32";
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let position = 8 + headerLength;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/**
 * Reads tensors of type F32 and F64.
 *
 * @param source  Named in errors: the file's path.
 * @param only    Which tensors to read: others may be of any type, such as the counters in a checkpoint of PyTorch's.
 * @throws BadInput if the bytes are not a whole safetensors file, or hold another type.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  source: string,
  { only = () => true }: { readonly only?: (name: string) => boolean } = {},
): TensorFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = bytes.length < 8 ? NaN : Number(view.getBigUint64(0, true));
  if (!(headerLength <= bytes.length - 8)) throw new BadInput(`${source}: truncated, or not a safetensors file.`);
  const start = 8 + headerLength;
  const metadata: Record<string, string> = {};
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(8, start), source))) {
    const corrupt = () => new BadInput(`${source}: corrupt: its header's entry "${name}" is not of the format.`);
    if (name === "__metadata__") {
      const parsed = metadataSchema.safeParse(entry);
      if (!parsed.success) throw corrupt();
      Object.assign(metadata, parsed.data);
    } else if (only(name)) {
      const parsed = entrySchema.safeParse(entry);
      if (!parsed.success) throw corrupt();
      tensors[name] = readTensor(bytes, start, name, parsed.data, source);
    }
  }
  return { tensors, metadata };
}

function parseHeader(text: Uint8Array, source: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw new BadInput(`${source}: corrupt: its header is not JSON.`);
  }
  if (typeof header === "object" && header !== null && !Array.isArray(header)) return header as Record<string, unknown>;
  throw new BadInput(`${source}: corrupt: its header is no JSON object.`);
}

function readTensor(bytes: Uint8Array, start: number, name: string, entry: HeaderEntry, source: string): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = entry;
  const elements = shape.reduce((product, axis) => product * axis, 1);
  const width = dtype === "F64" ? 8 : 4;
  if (dtype !== "F32" && dtype !== "F64") {
    throw new BadInput(`${source}: tensor "${name}": expected type F32 or F64, got ${dtype}.`);
  }
  const [from, to] = offsets;
  if (to - from !== elements * width || start + to > bytes.length) {
    throw new BadInput(`${source}: truncated or corrupt at tensor "${name}".`);
  }
  const { buffer } = new Uint8Array(bytes.subarray(start + from, start + to)); // a copy, and so aligned
  return { shape, data: dtype === "F64" ? new Float64Array(buffer) : new Float32Array(buffer) };
}
