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
  /** As in the file; values of both come back as float64. */
  readonly type: "float32" | "float64";
  readonly values: Float64Array;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** NumPy itself refuses longer headers unless told to trust the file. */
const longestHeader = 10_000;

/**
 * Reads a NumPy `.npy` file: format 1 to 3, float32 or float64, little- or big-endian, C or Fortran order.
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
  const type = /^[<>=|]f[48]$/.test(descr) && descr[0] !== "|" ? descr : null;
  if (type === null) return fail(headerStart, `expected numbers of type <f4, <f8, >f4 or >f8, got ${descr}`);
  const width = Number(type[2]);
  const littleEndian = type[0] !== ">";
  const count = shape.reduce((product, size) => product * size, 1);
  const start = headerStart + headerLength;
  if (!Number.isSafeInteger(count) || bytes.length !== start + count * width) {
    fail(
      start,
      `expected ${count * width} bytes of data for shape (${shape.join(", ")}) of ${type}, got ${bytes.length - start}`,
    );
  }

  const stored = new Float64Array(count);
  for (let i = 0, at = start; i < count; i++, at += width) {
    stored[i] = width === 8 ? view.getFloat64(at, littleEndian) : view.getFloat32(at, littleEndian);
  }
  return {
    shape,
    type: width === 8 ? "float64" : "float32",
    values: fortranOrder && shape.length > 1 ? toRowMajor(stored, shape) : stored,
  };
}

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
