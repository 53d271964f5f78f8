import fc from "fast-check";
import { expect, test } from "vitest";
import { graph, type Builder } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { checkOp } from "../testing/check-op.js";
import { testRandom } from "../testing/random.js";
import { weightCotangent, weightFormulation, type WeightFormulation } from "./convolution-weights.js";
import { windowCounts, type Windows } from "./windows.js";

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}
const axis: fc.Arbitrary<Axis> = fc.record({
  size: fc.integer({ min: 4, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(2),
  after: fc.nat(2),
});

const windowsOf = (axes: readonly Axis[]): Windows => ({
  kernel: axes.map(({ kernel }) => kernel),
  strides: axes.map(({ stride }) => stride),
  dilations: axes.map(({ dilation }) => dilation),
  before: axes.map(({ before }) => before),
  after: axes.map(({ after }) => after),
});

/** Derivatives of a formulation to second order, and its values against those by rows, which convolution.test.ts checks against the engine's Conv. */
async function checkFormulation(axes: readonly Axis[], formulation: WeightFormulation, group: number, each: number) {
  const windows = windowsOf(axes);
  const sizes = axes.map(({ size }) => size);
  const counts: readonly number[] = windowCounts(windows, sizes).map(Number);
  const [x, dy] = [sizes, counts].map((spatial) => [2, group * each, ...spatial]) as [number[], number[]];
  const by = (b: Builder, name: WeightFormulation, values: readonly Value[]) =>
    weightCotangent(b, values[0]!, values[1]!, windows, counts, group, name);
  await checkOp({ build: (b, values) => by(b, formulation, values), inputs: [{ shape: x }, { shape: dy }] });

  const both = graph((b) => {
    const values = [b.input("x", x, "float64"), b.input("dy", dy, "float64")];
    return { difference: b.sub(by(b, formulation, values), by(b, "rows", values)) };
  });
  const session = await compile(both);
  const random = testRandom(7);
  const feeds = { x: random.array(product(x)), dy: random.array(product(dy)) };
  const { difference } = await session.run(feeds);
  await session.dispose();
  // Sums of at most 72 products below 1: rounding stays below 72 · 72 · 1e-16.
  const entries = difference!.data as Float64Array;
  // The transforms of tiles have factors up to 8 · 8 · 5 · 5, which rounding grows by.
  expect(Math.max(...entries.map(Math.abs))).toBeLessThan(formulation === "tiles" ? 1e-10 : 1e-12);
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

test("by shifts, for random kernels, padding, dilation and groups", () =>
  fc.assert(
    fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 2 }), fc.constantFrom(1, 2), (axes, group) =>
      checkFormulation(
        axes.map((each) => (each.kernel === 1 ? each : { ...each, stride: 1 })),
        "shifts",
        group,
        2,
      ),
    ),
    { numRuns: 15 },
  ));

test("by taps, for random depthwise kernels", () =>
  fc.assert(
    fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 2 }), (axes) => checkFormulation(axes, "taps", 3, 1)),
    { numRuns: 15 },
  ));

test("by columns, for random kernels, strides, padding and dilation", () =>
  fc.assert(
    fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 2 }), (axes) => checkFormulation(axes, "columns", 1, 2)),
    { numRuns: 12 },
  ));

test("by rows that one Gather makes, where channels are enough for it", async () => {
  const made = graph((b) => {
    const [x, dy] = [b.input("x", [2, 16, 5, 5]), b.input("dy", [2, 3, 2, 2])];
    const windows = { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], before: [0, 1], after: [0, 0] };
    return { w: weightCotangent(b, x, dy, windows, [2, 2], 1, "rows") };
  });
  const ops = nodesReaching([made.outputs["w"]!]).map(({ op }) => op);
  expect(ops.filter((op) => op === "Gather" || op === "Slice")).toEqual(["Gather"]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(axis, { minLength: 1, maxLength: 2 }),
      fc.constantFrom<WeightFormulation>("rows", "columns"),
      (axes, formulation) => checkFormulation(axes, formulation, 1, 16),
    ),
    { numRuns: 8 },
  );
});

test("by tiles of both sizes, for random sizes and padding", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ size: fc.integer({ min: 3, max: 9 }), before: fc.nat(2), after: fc.nat(2) }), {
        minLength: 2,
        maxLength: 2,
      }),
      (axes) =>
        checkFormulation(
          axes.map((each) => ({ ...each, kernel: 3, stride: 1, dilation: 1 })),
          "tiles",
          1,
          2,
        ),
    ),
    { numRuns: 12 },
  ));

const square = {
  kernel: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  group: 1,
  inputs: 64,
  outputs: 64,
  positions: 1024,
};

// The winners of the table in docs/autodiff/formulations.md.
test.each([
  ["many channels", square, "tiles"],
  ["few channels, large images", { ...square, inputs: 32 }, "shifts"],
  ["the few channels of a first layer", { ...square, inputs: 3, strides: [2, 2] }, "columns"],
  ["few channels, small images", { ...square, inputs: 32, positions: 16 }, "rows"],
  ["dilated taps", { ...square, dilations: [2, 2] }, "shifts"],
  ["strides", { ...square, strides: [2, 2] }, "rows"],
  ["single taps, strided or not", { ...square, kernel: [1, 1], strides: [2, 2], positions: 16 }, "shifts"],
  ["groups", { ...square, group: 4, positions: 16 }, "shifts"],
  ["depthwise", { ...square, group: 64, strides: [2, 2] }, "taps"],
] as const)("formulation for %s", (_, shape, expected) => expect(weightFormulation(shape)).toBe(expected));
