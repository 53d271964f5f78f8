import fc from "fast-check";
import { expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { numbersOf } from "../ir/tensor.js";
import { nodesReaching } from "../ir/traverse.js";
import { optimize } from "../passes/optimize.js";
import { compile } from "../runtime/session.js";
import { vjp } from "../transforms/graphs.js";
import { testRandom } from "../testing/random.js";
import { winogradConvolution } from "./winograd.js";
import { windowCounts, type Windows } from "./windows.js";

const axis = fc.record({ size: fc.integer({ min: 3, max: 11 }), before: fc.nat(3), after: fc.nat(3) });

test("a convolution by tiles is the engine's Conv, for random sizes and padding", () =>
  fc.assert(
    fc.asyncProperty(axis, axis, fc.constantFrom<2 | 4>(2, 4), async (rows, columns, tile) => {
      const axes = [rows, columns];
      const windows: Windows = {
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        before: axes.map(({ before }) => before),
        after: axes.map(({ after }) => after),
      };
      const sizes = axes.map(({ size }) => size);
      const both = graph((b) => {
        const x = b.input("x", ["batch", 2, ...sizes], "float64");
        const w = b.input("w", [3, 2, 3, 3], "float64");
        const counts = windowCounts(windows, sizes) as number[];
        const pads = [...windows.before, ...windows.after];
        return {
          difference: b.sub(
            winogradConvolution(b, x, w, windows, counts, tile),
            b.node("Conv", [x, w, null], { pads }),
          ),
        };
      });
      const session = await compile(both);
      const random = testRandom(3);
      const feeds = { x: random.array(4 * sizes[0]! * sizes[1]!, -1, 1), w: random.array(54, -1, 1) };
      const { difference } = await session.run(feeds);
      await session.dispose();
      // Sums of 18 products below 1, through factors of at most 8² · 10² in each transform: below 1e-16 · 18 · 6400.
      expect(Math.max(...numbersOf(difference!).map(Math.abs))).toBeLessThan(1e-11);
    }),
    { numRuns: 20 },
  ));

test("compile uses tiles for convolutions of many channels: values and gradients in float32 are those in float64", async () => {
  const model = graph((b) => {
    const x = b.input("x", ["batch", 64, 9, 7]);
    const w = b.input("w", [66, 64, 3, 3]);
    const y = b.node("Conv", [x, w, b.input("bias", [66])], { pads: [1, 1, 1, 1] });
    return { loss: b.reduceSum(b.mul(b.tanh(y), b.tanh(y))) };
  });
  const gradient = vjp(model, { of: "loss", wrt: ["x", "w", "bias"] });
  const ops = nodesReaching(Object.values(optimize(gradient).outputs)).map(({ op }) => op);
  expect(ops).not.toContain("Conv");

  const random = testRandom(5);
  const feeds = {
    x: random.array(2 * 64 * 63, -1, 1),
    w: random.array(66 * 64 * 9, -0.05, 0.05),
    bias: random.array(66, -0.1, 0.1),
  };
  const narrowed = Object.fromEntries(Object.entries(feeds).map(([name, data]) => [name, Float32Array.from(data)]));
  const [single, double] = await Promise.all([compile(gradient), compile(gradient, { precision: "float64" })]);
  const [got, truth] = [await single.run(narrowed), await double.run(narrowed)];
  await Promise.all([single.dispose(), double.dispose()]);
  for (const name of ["loss", "gradient/x", "gradient/w", "gradient/bias"]) {
    const [values, exact] = [numbersOf(got[name]!), numbersOf(truth[name]!)];
    const norm = (list: readonly number[]): number => Math.hypot(...list);
    const error = norm(values.map((value, i) => value - exact[i]!)) / norm(exact);
    // 6e-8 a rounding, twice amplified some five times by the transforms of 4 × 4 tiles. Measured below 1.5e-6.
    expect(error).toBeLessThan(5e-6);
  }
});
