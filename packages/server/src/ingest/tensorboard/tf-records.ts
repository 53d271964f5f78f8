import { maskedCrc32c } from "./crc32c.js";

/** Bytes of a record at most: what is longer is no event file. */
export const longestRecord = 256 * 2 ** 20;
const header = 12;
const footer = 4;

export type RecordFound =
  /** `end` is where the next one begins. `data` is null where its checksum is wrong. */
  | { readonly found: "record"; readonly data: Uint8Array | null; readonly end: number }
  /** Not all of it is there; `wanted` bytes from its beginning would be. */
  | { readonly found: "part"; readonly wanted: number }
  /** The length itself is damaged, so nothing can be found behind it. */
  | { readonly found: "damage" };

/**
 * The record of a TFRecord file that begins at `start`: length (uint64), its masked CRC-32C, data, its masked CRC-32C; all
 * little-endian. https://www.tensorflow.org/tutorials/load_data/tfrecord
 */
export function readRecord(bytes: Uint8Array, start: number): RecordFound {
  const left = bytes.length - start;
  if (left < header) return { found: "part", wanted: header };
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, left);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  const lengthFits = maskedCrc32c(bytes.subarray(start, start + 8)) === view.getUint32(8, true);
  if (!lengthFits || length > longestRecord) return { found: "damage" };
  const wanted = header + length + footer;
  if (left < wanted) return { found: "part", wanted };
  const data = bytes.subarray(start + header, start + header + length);
  const fits = maskedCrc32c(data) === view.getUint32(header + length, true);
  return { found: "record", data: fits ? data : null, end: start + wanted };
}
