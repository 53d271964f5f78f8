import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { checkOp } from "../testing/check-op.js";

const axis = fc.record({
  size: fc.integer({ min: 4, max: 7 }),
  kernel: fc.integer({ min: 2, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  before: fc.nat(1),
  after: fc.nat(1),
});
const pool = fc.record({ axes: fc.array(axis, { minLength: 1, maxLength: 2 }), ceil: fc.nat(1) });
type Pool = typeof pool extends fc.Arbitrary<infer T> ? T : never;

const attributesOf = ({ axes, ceil }: Pool) => ({
  kernel_shape: axes.map(({ kernel }) => kernel),
  strides: axes.map(({ stride }) => stride),
  pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
  ceil_mode: ceil,
});

/** 0.1 apart in an order that looks random: no ties, and no winner changes within a difference step. */
const spaced = (size: number): number[] => Array.from({ length: size }, (_, i) => ((i * 7919) % size) * 0.1);

// The float32 kernel is compared with the sum of shifted slices that stands in for it in float64.
test("AveragePool for random windows, padding counted and not", () =>
  fc.assert(
    fc.asyncProperty(pool, fc.nat(1), (given, countIncludePad) => {
      const shape = [2, 2, ...given.axes.map(({ size }) => size)];
      return checkOp({
        build: (b, [x]) => b.node("AveragePool", [x!], { ...attributesOf(given), count_include_pad: countIncludePad }),
        inputs: [{ shape, declared: ["batch", ...shape.slice(1)] }],
      });
    }),
    { numRuns: 25 },
  ));

test("MaxPool for random windows", () =>
  fc.assert(
    fc.asyncProperty(pool, (given) => {
      const shape = [2, 2, ...given.axes.map(({ size }) => size)];
      const size = shape.reduce((product, dim) => product * dim, 1);
      return checkOp({
        build: (b, [x]) => b.node("MaxPool", [x!], attributesOf(given)),
        inputs: [{ shape, values: spaced(size), declared: ["batch", ...shape.slice(1)] }],
      });
    }),
    { numRuns: 20 },
  ));

describe("pools", () => {
  test("GlobalAveragePool and GlobalMaxPool over known positions of a symbolic batch", async () => {
    const input = { shape: [2, 3, 2, 3], values: spaced(36), declared: ["batch", 3, 2, 3] };
    await checkOp({ build: (b, [x]) => b.node("GlobalAveragePool", [x!]), inputs: [input] });
    await checkOp({ build: (b, [x]) => b.node("GlobalMaxPool", [x!]), inputs: [input] });
  });

  test("AveragePool with dilated windows", () =>
    checkOp({
      build: (b, [x]) => b.node("AveragePool", [x!], { kernel_shape: [2], dilations: [2], strides: [2] }),
      inputs: [{ shape: [1, 2, 7] }],
    }));

  test("refuse a window larger than the input", () => {
    expect(() => graph((b) => ({ y: b.node("MaxPool", [b.input("x", [1, 1, 2])], { kernel_shape: [3] }) }))).toThrow(
      /at least as large as the kernel/,
    );
  });
});
