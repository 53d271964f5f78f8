import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addProduct, productScratch } from "./kernels/blocked-product.js";
import { slack } from "./kernels/kernels.js";
import { createPlainKernels } from "./kernels/plain.js";
import { createWasmKernels } from "./kernels/wasm.js";
import {
  multiply,
  multiplyInto,
  multiplySymmetric,
  multiplySymmetricSingleInto,
  multiplyTriangular,
  type ProductShape,
} from "./products.js";
import { createRandom } from "./random.js";
import { transposeInto } from "./transpose.js";

/** The definition, entry by entry. */
function byDefinition(a: Float64Array, b: Float64Array, shape: ProductShape): Float64Array {
  const { rows, inner, columns, transposeA = false, transposeB = false } = shape;
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < inner; k++)
        result[i * columns + j]! +=
          a[transposeA ? k * rows + i : i * inner + k]! * b[transposeB ? j * inner + k : k * columns + j]!;
    }
  }
  return result;
}

/** Exact equality. toEqual takes seconds over millions of entries. */
function expectSame(actual: Float64Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length);
  expect(actual.findIndex((x, i) => x !== expected[i])).toBe(-1);
}

/** Whole numbers below 100 in size: their products and sums are exact, so every order of summation gives the same. */
function wholeNumbers(length: number, seed: number): Float64Array {
  const rng = createRandom(seed);
  return Float64Array.from({ length }, () => rng.integer(199) - 99);
}

const anySize = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 140 }));
const anyShape = fc.record({
  rows: anySize,
  inner: fc.oneof(anySize, fc.integer({ min: 250, max: 270 })),
  columns: anySize,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

describe("products", () => {
  test("multiply is the definition, exactly on whole numbers", () => {
    fc.assert(
      fc.property(anyShape, fc.nat(), (shape, seed) => {
        const a = wholeNumbers(shape.rows * shape.inner, seed);
        const b = wholeNumbers(shape.inner * shape.columns, seed + 1);
        expectSame(multiply(a, b, shape), byDefinition(a, b, shape));
      }),
    );
  });

  test("multiplySymmetric agrees with multiply where the product is symmetric", () => {
    fc.assert(
      fc.property(anySize, anySize, fc.boolean(), fc.boolean(), fc.nat(), (size, inner, tA, tB, seed) => {
        // A Aᵀ, with each operand stored either way round.
        const a = wholeNumbers(size * inner, seed);
        const turned = transposeInto(new Float64Array(a.length), a, size, inner);
        const left = tA ? turned : a;
        const right = tB ? a : turned;
        const gram = byDefinition(a, a, { rows: size, inner, columns: size, transposeB: true });
        expectSame(multiplySymmetric(left, right, { size, inner, transposeA: tA, transposeB: tB }), gram);
      }),
    );
  });

  test("multiplySymmetricSingleInto has the same upper triangle, in single precision", () => {
    fc.assert(
      fc.property(anySize, anySize, fc.boolean(), fc.boolean(), fc.nat(), (size, inner, tA, tB, seed) => {
        const a = wholeNumbers(size * inner, seed);
        const turned = transposeInto(new Float64Array(a.length), a, size, inner);
        const gram = byDefinition(a, a, { rows: size, inner, columns: size, transposeB: true });
        const [left, right] = [Float32Array.from(tA ? turned : a), Float32Array.from(tB ? a : turned)];
        const shape = { size, inner, transposeA: tA, transposeB: tB };
        const product = multiplySymmetricSingleInto(new Float32Array(size * size), left, right, shape);
        // 140 products below 10⁴ stay below 2²⁴, so single precision is exact as well.
        const upper = (x: number, at: number) => (at % size >= Math.floor(at / size) ? x : 0);
        expectSame(Float64Array.from(product, upper), gram.map(upper));
      }),
    );
  });

  test("multiplyTriangular reads only the upper triangle", () => {
    fc.assert(
      fc.property(anySize, fc.oneof(anySize, fc.integer({ min: 255, max: 262 })), fc.nat(), (rows, size, seed) => {
        const a = wholeNumbers(rows * size, seed);
        const upper = wholeNumbers(size * size, seed + 1);
        const polluted = upper.slice();
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < i; j++) {
            upper[i * size + j] = 0;
            polluted[i * size + j] = NaN;
          }
        }
        const expected = byDefinition(a, upper, { rows, inner: size, columns: size });
        expectSame(multiplyTriangular(a, polluted, { rows, size }), expected);
      }),
    );
  });

  test("a product larger than one chunk of the workspace is put together correctly", () => {
    const shape = { rows: 1100, inner: 3, columns: 4200 };
    const a = wholeNumbers(shape.rows * shape.inner, 1);
    const b = wholeNumbers(shape.inner * shape.columns, 2);
    const expected = byDefinition(a, b, shape);
    expectSame(multiply(a, b, shape), expected);
  });

  test.each([
    ["plain", createPlainKernels],
    ["wasm", createWasmKernels],
  ])("the %s kernels multiply exactly on whole numbers", (_, create) => {
    const [rows, inner, columns] = [37, 300, 41];
    const a = wholeNumbers(rows * inner, 1);
    const b = wholeNumbers(inner * columns, 2);
    const scratch = rows * columns + slack(columns);
    const kernels = create(scratch + productScratch(columns, inner))!;
    addProduct(kernels, scratch, {
      target: 0,
      rowLength: columns,
      rows,
      inner,
      columns,
      scale: -1,
      left: { source: a, offset: 0, rowStep: inner, columnStep: 1 },
      right: { source: b, offset: 0, rowStep: columns, columnStep: 1 },
    });
    const expected = byDefinition(a, b, { rows, inner, columns }).map((x) => (x === 0 ? 0 : -x));
    expectSame(kernels.memory.slice(0, rows * columns), expected);
  });

  test("wrong sizes, kinds and overlapping memory are refused by name", () => {
    const four = new Float64Array(4);
    const shape = { rows: 2, inner: 2, columns: 2 };
    expect(() => multiply(new Float64Array(3), four, shape)).toThrow(
      "multiply: a: expected rows × inner = 2 × 2 = 4 entries, got 3.",
    );
    expect(() => multiply(four, four, { ...shape, columns: 1.5 })).toThrow(
      "multiply: columns: expected an integer of at least 0, got 1.5.",
    );
    expect(() => multiply([1, 2, 3, 4] as unknown as Float64Array, four, shape)).toThrow(
      "multiply: a: expected a Float64Array, got Array of length 4.",
    );
    expect(() => multiplyInto(four, four, new Float64Array(4), shape)).toThrow(
      "multiplyInto: target: expected memory of its own, got some shared with a.",
    );
    expect(() => multiplyTriangular(four, new Float64Array(9), { rows: 2, size: 2 })).toThrow(
      "multiplyTriangular: upper: expected size × size = 2 × 2 = 4 entries, got 9.",
    );
    expect(() => multiplySymmetric(four, four, { size: 3, inner: 2 })).toThrow(RangeError);
    const single = new Float32Array(4);
    const square = { size: 2, inner: 2 };
    expect(() =>
      multiplySymmetricSingleInto(new Float32Array(4), four as unknown as Float32Array, single, square),
    ).toThrow("multiplySymmetricSingleInto: a: expected a Float32Array, got Float64Array of length 4.");
    expect(() => multiplySymmetricSingleInto(single, single, new Float32Array(4), square)).toThrow(
      "multiplySymmetricSingleInto: target: expected memory of its own, got some shared with a.",
    );
    expect(() => multiplySymmetricSingleInto(new Float32Array(3), single, single, square)).toThrow(
      "multiplySymmetricSingleInto: target: expected size × size = 2 × 2 = 4 entries, got 3.",
    );
  });
});
