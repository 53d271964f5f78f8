import { inflateRawSync } from "node:zlib";
import { NpyError, parseNpy, type NpyArray } from "./npy.js";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/**
 * Reads a NumPy `.npz` file, a ZIP archive of `.npy` files: arrays by name, without the ending. Stored or deflated, as
 * `numpy.savez` and `savez_compressed` write; no ZIP64, so up to 4 GiB.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 *
 * @param wanted  Names to read; others are not unpacked. Default all.
 * @param source  Where the bytes came from, for messages: a file name.
 * @throws NpyError naming the source, and the array within it.
 */
export function parseNpz(bytes: Uint8Array, source = "npz", wanted?: readonly string[]): Record<string, NpyArray> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arrays: Record<string, NpyArray> = {};
  for (const { name, start, size, deflated, length } of entriesOf(view, source)) {
    const key = name.replace(/\.npy$/, "");
    if (wanted !== undefined && !wanted.includes(key)) continue;
    const packed = bytes.subarray(start, start + size);
    const where = `${source}: ${name}`;
    arrays[key] = parseNpy(deflated ? inflate(packed, length, where) : packed, where);
  }
  return arrays;
}

interface Entry {
  readonly name: string;
  /** Where its data begin. */
  readonly start: number;
  readonly size: number;
  readonly deflated: boolean;
  /** Once unpacked. */
  readonly length: number;
}

/** The files that the archive's directory, at its end, lists. */
function entriesOf(view: DataView, source: string): Entry[] {
  const fail = (offset: number, fault: string): never => {
    throw new NpyError(source, offset, fault);
  };
  const end = findEnd(view);
  if (end === null) return fail(0, "not a .npz file, or truncated: it has no ZIP directory at its end");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== entrySignature) fail(at, "corrupt: its ZIP directory is damaged");
    const [method, size, length] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
    ];
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
    if (method !== 0 && method !== 8) fail(at, `${name}: expected stored or deflated data, got ZIP method ${method}`);
    if (local + 30 > end || view.getUint32(local, true) !== localSignature) {
      fail(at, `corrupt: its directory points to no file for ${name}`);
    }
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + size > end) fail(at, `corrupt: ${name} is longer than the archive`);
    entries.push({ name, start, size, deflated: method === 8, length });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** Where the directory's end record is: last in the file, before a comment of at most 64 KiB. */
function findEnd(view: DataView): number | null {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  return null;
}

function inflate(packed: Uint8Array, length: number, where: string): Uint8Array {
  try {
    const unpacked = inflateRawSync(packed, { maxOutputLength: Math.max(1, length) });
    if (unpacked.length === length) return unpacked;
  } catch {
    // Told below, like a length that is not the stated one.
  }
  throw new NpyError(where, 0, `corrupt: its data do not unpack to the ${length} bytes stated`);
}
