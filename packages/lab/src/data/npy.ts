import { BadInput } from "../errors.js";

/** A file that is not a NumPy array this reader takes. `offset` is where in the file the fault shows. */
export class NpyError extends BadInput {
  override readonly name = "NpyError";
  readonly offset: number;

  constructor(source: string, offset: number, fault: string) {
    super(`${source}: ${fault}.`);
    this.offset = offset;
  }
}

/** An array of numbers in row-major order, whatever order the file had. */
export interface NpyArray {
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** As in the file; whatever it is, values come back as float64. */
  readonly type: "float32" | "float64" | "integer";
  readonly values: Float64Array;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** NumPy itself refuses longer headers unless told to trust the file. */
const longestHeader = 10_000;

/**
 * Reads a NumPy `.npy` file: format 1 to 3, float32, float64, truth values or integers, little- or big-endian, C or
 * Fortran order. 64-bit integers beyond ±2⁵³ are rounded.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * Strict: every byte is accounted for, so a truncated file, or one with something after the array, is refused.
 *
 * @param source  Where the bytes came from, for messages: a file name.
 * @throws NpyError naming the source, what was found and what is allowed.
 */
export function parseNpy(bytes: Uint8Array, source = "npy"): NpyArray {
  const fail = (offset: number, fault: string): never => {
    throw new NpyError(source, offset, fault);
  };
  const needed = (offset: number, count: number, what: string) => {
    if (bytes.length < offset + count) {
      fail(
        bytes.length,
        `truncated: expected ${what} up to byte ${offset + count}, got a file of ${bytes.length} bytes`,
      );
    }
  };
  needed(0, 8, "magic and version");
  if (magic.some((byte, i) => bytes[i] !== byte)) fail(0, "not a .npy file: expected it to begin with \\x93NUMPY");
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    fail(6, `expected .npy format 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthSize = major === 1 ? 2 : 4;
  needed(8, lengthSize, "the header's length");
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const headerStart = 8 + lengthSize;
  if (headerLength > longestHeader) {
    fail(8, `expected a header of at most ${longestHeader} bytes, got ${headerLength}`);
  }
  needed(headerStart, headerLength, "the header");
  const headerBytes = bytes.subarray(headerStart, headerStart + headerLength);
  const header = parseHeader(new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(headerBytes));
  if (typeof header === "string") return fail(headerStart, header);

  const { descr, fortranOrder, shape } = header;
  const read = readers[descr.slice(1)];
  if (read === undefined || !/^[<>=|]/.test(descr) || (descr.startsWith("|") && !descr.endsWith("1"))) {
    return fail(headerStart, `expected numbers of type f4, f8, i1 to i8, u1 to u8 or b1, got ${descr}`);
  }
  const width = Number(descr[2]);
  const littleEndian = descr[0] !== ">";
  const count = shape.reduce((product, size) => product * size, 1);
  const start = headerStart + headerLength;
  if (!Number.isSafeInteger(count) || bytes.length !== start + count * width) {
    fail(
      start,
      `expected ${count * width} bytes of data for shape (${shape.join(", ")}) of ${descr}, got ${bytes.length - start}`,
    );
  }

  const stored = new Float64Array(count);
  for (let i = 0, at = start; i < count; i++, at += width) {
    stored[i] = read(view, at, littleEndian);
  }
  return {
    shape,
    type: descr[1] !== "f" ? "integer" : width === 8 ? "float64" : "float32",
    values: fortranOrder && shape.length > 1 ? toRowMajor(stored, shape) : stored,
  };
}

/** How one number is read, by NumPy's letter for its kind and the bytes it takes. */
const readers: Readonly<Record<string, (view: DataView, at: number, littleEndian: boolean) => number>> = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
};

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/**
 * The header is a Python dictionary with exactly three keys, in any order. Read with the grammar that NumPy writes,
 * never evaluated.
 *
 * @returns what is wrong with it, where something is
 */
function parseHeader(text: string): Header | string {
  const body = /^\{(.*)\}[ ]*\n?$/s.exec(text)?.[1];
  if (body === undefined) return "expected the header to be a Python dictionary ending in a newline";
  const entry = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([^()]*\)|\[[^\]]*\])\s*(?:,|$)/sy;
  const found = new Map<string, string>();
  while (entry.lastIndex < body.trimEnd().length) {
    const at = entry.lastIndex;
    const match = entry.exec(body);
    if (match === null) return `cannot read the header at ${JSON.stringify(body.slice(at, at + 30))}`;
    if (found.has(match[1]!)) return `expected each header key once, got '${match[1]}' twice`;
    found.set(match[1]!, match[2]!);
  }
  const keys = [...found.keys()].sort().join(", ");
  if (keys !== "descr, fortran_order, shape") {
    return `expected the header keys descr, fortran_order and shape, got ${keys || "none"}`;
  }

  const descr = found.get("descr")!;
  if (!descr.startsWith("'")) return "expected one number type, got a structured array";
  const order = found.get("fortran_order")!;
  if (order !== "True" && order !== "False") return `expected fortran_order to be True or False, got ${order}`;
  const shapeText = found.get("shape")!;
  const shapeMatch = /^\(\s*((?:\d+\s*,\s*)*)(\d+)?\s*\)$/.exec(shapeText);
  // (3) is a number in Python and not a tuple: NumPy writes (3,).
  const lone = shapeMatch !== null && shapeMatch[1] === "" && shapeMatch[2] !== undefined;
  if (shapeMatch === null || lone) return `expected shape to be a tuple of sizes, got ${shapeText}`;
  const shape = shapeText.match(/\d+/g)?.map(Number) ?? [];
  return { descr: descr.slice(1, -1), fortranOrder: order === "True", shape };
}

/** In Fortran order the first index moves fastest. */
function toRowMajor(stored: Float64Array, shape: readonly number[]): Float64Array {
  const values = new Float64Array(stored.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  let target = 0;
  for (let i = 0; i < stored.length; i++) {
    values[target] = stored[i]!;
    for (let axis = 0; axis < shape.length; axis++) {
      target += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      target -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return values;
}
