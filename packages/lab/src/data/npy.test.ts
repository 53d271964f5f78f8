import { describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { NpyError, parseNpy } from "./npy.js";

/** A file as NumPy writes it: the header padded with spaces so that the data start on a multiple of 64 bytes. */
function npyFile(header: string, data: Uint8Array, major = 1): Uint8Array {
  const start = major === 1 ? 10 : 12;
  const padded = header + " ".repeat((64 - ((start + header.length + 1) % 64)) % 64) + "\n";
  const bytes = new Uint8Array(start + padded.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, padded.length, true);
  else view.setUint32(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), start);
  bytes.set(data, start + padded.length);
  return bytes;
}

const float64 = (values: number[]) => new Uint8Array(new Float64Array(values).buffer);
const float32 = (values: number[]) => new Uint8Array(new Float32Array(values).buffer);
const header = (shape: string, descr = "<f8", order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** `np.save(f, np.arange(6.).reshape(2, 3))` of NumPy 2, byte for byte. */
const savedByNumPy = Buffer.from(
  "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAg" +
    "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAEAAAAAAAAAIQAAAAAAAABBA" +
    "AAAAAAAAFEA=",
  "base64",
);

describe("parseNpy", () => {
  test("reads what NumPy wrote", () => {
    expect(parseNpy(savedByNumPy)).toEqual({
      shape: [2, 3],
      type: "float64",
      values: new Float64Array([0, 1, 2, 3, 4, 5]),
    });
  });

  test.each([1, 2, 3])("reads format %i.0", (major) => {
    expect(parseNpy(npyFile(header("(2,)"), float64([1.5, -2]), major)).values).toEqual(new Float64Array([1.5, -2]));
  });

  test("reads float32, whose values are exact in float64", () => {
    const { type, values } = parseNpy(npyFile(header("(2,)", "<f4"), float32([0.1, 3e38])));
    expect(type).toBe("float32");
    expect(values).toEqual(new Float64Array([Math.fround(0.1), Math.fround(3e38)]));
  });

  test("reads integers and truth values of every width", () => {
    const integers = (descr: string, data: ArrayBufferView) =>
      parseNpy(npyFile(header("(2,)", descr), new Uint8Array(data.buffer)));
    expect(integers("<i8", new BigInt64Array([-5n, 2n ** 40n]))).toEqual({
      shape: [2],
      type: "integer",
      values: new Float64Array([-5, 2 ** 40]),
    });
    expect([...integers("|u1", new Uint8Array([0, 255])).values]).toEqual([0, 255]);
    expect([...integers("|b1", new Uint8Array([0, 1])).values]).toEqual([0, 1]);
    expect([...integers("<i2", new Int16Array([-7, 300])).values]).toEqual([-7, 300]);
    expect([...integers("<i4", new Int32Array([-7, 1e9])).values]).toEqual([-7, 1e9]);
    expect([...integers("<u4", new Uint32Array([7, 4e9])).values]).toEqual([7, 4e9]);
  });

  test("reads big-endian numbers", () => {
    const data = new Uint8Array(8);
    new DataView(data.buffer).setFloat64(0, Math.PI, false);
    expect(parseNpy(npyFile(header("(1,)", ">f8"), data)).values[0]).toBe(Math.PI);
  });

  test("turns Fortran order into rows, in two dimensions and in three", () => {
    // a[i, j] = 10 i + j, stored column by column
    const matrix = npyFile(header("(2, 3)", "<f8", "True"), float64([0, 10, 1, 11, 2, 12]));
    expect([...parseNpy(matrix).values]).toEqual([0, 1, 2, 10, 11, 12]);
    // a[i, j, k] = 100 i + 10 j + k, shape (2, 1, 2), the first index fastest
    const cube = npyFile(header("(2, 1, 2)", "<f8", "True"), float64([0, 100, 1, 101]));
    expect([...parseNpy(cube).values]).toEqual([0, 1, 100, 101]);
  });

  test("reads scalars, empty arrays, NaN and bytes that do not start on a multiple of eight", () => {
    expect(parseNpy(npyFile(header("()"), float64([7])))).toMatchObject({ shape: [], values: new Float64Array([7]) });
    expect(parseNpy(npyFile(header("(0, 5)"), float64([])))).toMatchObject({ shape: [0, 5] });
    expect(parseNpy(npyFile(header("(1,)"), float64([NaN]))).values[0]).toBeNaN();
    const shifted = new Uint8Array(savedByNumPy.length + 1);
    shifted.set(savedByNumPy, 1);
    expect(parseNpy(shifted.subarray(1)).values[5]).toBe(5);
  });

  const whole = npyFile(header("(2,)"), float64([1, 2]));
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /truncated: expected magic and version up to byte 8, got a file of 0 bytes/],
    ["something else", new TextEncoder().encode('{"ntk": []}'), /not a \.npy file/],
    ["a later format", npyFile(header("(2,)"), float64([1, 2]), 4), /format 1\.0, 2\.0 or 3\.0, got 4\.0/],
    ["a cut header", whole.subarray(0, 40), /truncated: expected the header/],
    ["cut data", whole.subarray(0, whole.length - 1), /expected 16 bytes of data for shape \(2\) of <f8, got 15/],
    ["bytes after the data", Buffer.concat([whole, Buffer.from([0])]), /expected 16 bytes of data .* got 17/],
    ["complex numbers", npyFile(header("(1,)", "<c16"), float64([1, 2])), /of type f4, f8, i1 to i8.* got <c16/],
    ["half precision", npyFile(header("(4,)", "<f2"), float64([1])), /got <f2/],
    [
      "a structured array",
      npyFile("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", float64([1])),
      /structured array/,
    ],
    ["pickled objects", npyFile(header("(1,)", "|O"), float64([1])), /got \|O/],
    [
      "a key too many",
      npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': True}", float64([1])),
      /keys descr, fortran_order and shape, got descr, fortran_order, shape, x/,
    ],
    ["a key missing", npyFile("{'descr': '<f8', 'shape': (1,)}", float64([1])), /got descr, shape/],
    ["a key twice", npyFile("{'descr': '<f8', 'descr': '<f8'}", float64([1])), /'descr' twice/],
    ["a shape that is no tuple", npyFile(header("(1)"), float64([1])), /tuple of sizes, got \(1\)/],
    ["a negative size", npyFile(header("(-1,)"), float64([1])), /tuple of sizes, got \(-1,\)/],
    [
      "an expression",
      npyFile("{'descr': '<f8', 'fortran_order': 1 == 1, 'shape': (1,)}", float64([1])),
      /cannot read the header/,
    ],
    ["no dictionary", npyFile("[1, 2]", float64([1])), /Python dictionary/],
    ["a size beyond counting", npyFile(header("(99999999999, 99999999999)"), float64([1])), /got 8/],
  ])("refuses %s in one line", (_, bytes, message) => {
    let thrown: unknown;
    try {
      parseNpy(bytes, "kernel.npy");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NpyError);
    expect(thrown).toBeInstanceOf(BadInput);
    expect((thrown as Error).message).toMatch(message);
    expect((thrown as Error).message).toMatch(/^kernel\.npy: [^\n]*\.$/);
  });

  test("refuses a header longer than NumPy would take", () => {
    const bytes = npyFile(header("(1,)") + " ".repeat(20_000), float64([1]), 2);
    expect(() => parseNpy(bytes)).toThrow(/at most 10000 bytes/);
  });
});
