import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { BadInput } from "../errors.js";

/** What is wrong with an IDX file. Stable, so that callers can tell the cases apart without reading the message. */
export type IdxProblem =
  "unreadable" | "wrong-magic" | "corrupt-header" | "truncated" | "trailing-bytes" | "mismatched-count" | "too-few";

/** An IDX file that cannot be read as what it should hold. */
export class IdxError extends BadInput {
  override readonly name = "IdxError";
  constructor(
    readonly problem: IdxProblem,
    readonly path: string,
    detail: string,
  ) {
    super(`${path}: ${detail}`);
  }
}

/** A dense array of unsigned bytes, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

const unsignedByte = 0x08;
/** More than any real file needs, and few enough that a corrupt header cannot ask for an absurd allocation. */
const maxElements = 2 ** 31;

/**
 * Reads the first `count` entries of an IDX file of unsigned bytes, the format of MNIST: two zero bytes, the element
 * type, the rank, one big-endian uint32 per axis, then the values row-major. http://yann.lecun.com/exdb/mnist/
 *
 * The whole file is checked against its header, whatever `count` is, but only what is asked for is read.
 *
 * @param rank   Number of axes the file must have: 1 for labels, 3 for images.
 * @param count  Entries along the first axis to return. Default all.
 * @param entries  Entries that the file must hold, when a companion file already said.
 * @throws IdxError naming the file, what was found and what was expected.
 */
export function readIdx(
  path: string,
  { rank, count, entries }: { readonly rank: number; readonly count?: number; readonly entries?: number },
): IdxArray {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw new IdxError("unreadable", path, `cannot be opened (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  try {
    const shape = readHeader(file, path, rank);
    const available = shape[0]!;
    if (entries !== undefined && entries !== available) {
      throw new IdxError("mismatched-count", path, `holds ${available} entries, its companion file ${entries}.`);
    }
    const wanted = count ?? available;
    if (wanted > available) {
      throw new IdxError("too-few", path, `holds ${available} entries, ${wanted} were asked for.`);
    }
    const entry = shape.slice(1).reduce((product, axis) => product * axis, 1);
    const values = new Uint8Array(wanted * entry);
    readFully(file, path, values, 4 + 4 * rank);
    return { shape: [wanted, ...shape.slice(1)], values };
  } finally {
    closeSync(file);
  }
}

/** The shape that the header states, once the header is sound and the file exactly as long as it says. */
function readHeader(file: number, path: string, rank: number): number[] {
  const stat = fstatSync(file);
  if (!stat.isFile()) throw new IdxError("unreadable", path, "is not a file.");
  const { size } = stat;
  const headerBytes = 4 + 4 * rank;
  if (size < headerBytes) {
    throw new IdxError("truncated", path, `${size} bytes long, shorter than the ${headerBytes}-byte IDX header.`);
  }
  const header = new Uint8Array(headerBytes);
  readFully(file, path, header, 0);
  const view = new DataView(header.buffer);
  const magic = view.getUint32(0);
  const expected = (unsignedByte << 8) | rank;
  if (magic !== expected) {
    const gzip = view.getUint16(0) === 0x1f8b ? " It is gzip-compressed: unpack it first." : "";
    throw new IdxError("wrong-magic", path, `expected IDX magic number ${hex(expected)}, got ${hex(magic)}.${gzip}`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const elements = shape.reduce((product, axis) => product * axis, 1);
  const shown = shape.join(" × ");
  if (elements === 0 || elements > maxElements) {
    throw new IdxError("corrupt-header", path, `corrupt header: it states a shape of ${shown}.`);
  }
  const stated = headerBytes + elements;
  if (size !== stated) {
    const problem = size < stated ? "truncated" : "trailing-bytes";
    const word = size < stated ? "truncated" : "corrupt";
    throw new IdxError(problem, path, `${word}: ${size} bytes long, its header (${shown}) calls for ${stated}.`);
  }
  return shape;
}

function readFully(file: number, path: string, target: Uint8Array, position: number): void {
  let done = 0;
  while (done < target.length) {
    const read = readSync(file, target, done, target.length - done, position + done);
    if (read === 0) throw new IdxError("truncated", path, `ended at byte ${position + done}, while being read.`);
    done += read;
  }
}

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
