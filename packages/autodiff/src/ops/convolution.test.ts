import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { compile } from "../runtime/session.js";
import { checkOp } from "../testing/check-op.js";

/**
 * checkOp compares the float32 kernel of ONNX Runtime with the float64 form, which is a product of windows and kernels:
 * two algorithms for the same values. Derivatives are compared with central differences and with each other.
 */
const axis = fc.record({
  size: fc.integer({ min: 4, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(2),
  after: fc.nat(2),
});
const convolution = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  group: fc.constantFrom(1, 2),
  inputs: fc.constantFrom(1, 2),
  outputs: fc.constantFrom(1, 2),
  bias: fc.boolean(),
});

const attributesOf = (
  axes: readonly { kernel: number; stride: number; dilation: number; before: number; after: number }[],
) => ({
  kernel_shape: axes.map(({ kernel }) => kernel),
  strides: axes.map(({ stride }) => stride),
  dilations: axes.map(({ dilation }) => dilation),
  pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
});

test("Conv for random strides, pads, dilations and groups", () =>
  fc.assert(
    fc.asyncProperty(convolution, ({ axes, group, inputs, outputs, bias }) => {
      const x = [2, inputs * group, ...axes.map(({ size }) => size)];
      const w = [outputs * group, inputs, ...axes.map(({ kernel }) => kernel)];
      const declared = ["batch", ...x.slice(1)];
      return checkOp({
        build: (b, [x0, w0, b0]) => b.node("Conv", [x0!, w0!, b0 ?? null], { ...attributesOf(axes), group }),
        inputs: [{ shape: x, declared }, { shape: w }, ...(bias ? [{ shape: [outputs * group] }] : [])],
      });
    }),
    { numRuns: 25 },
  ));

test("ConvTranspose for random strides, pads, dilations, groups and output padding", () =>
  fc.assert(
    fc.asyncProperty(convolution, fc.nat(2), ({ axes, group, inputs, outputs, bias }, more) => {
      // ONNX Runtime wants the output padding below the stride or the dilation, and no more padding than the result has.
      const usable = axes.map((each) => ({
        ...each,
        before: Math.min(each.before, each.kernel - 1),
        after: Math.min(each.after, each.kernel - 1),
      }));
      const extra = usable.map(({ stride }) => Math.min(more, stride - 1));
      const x = [2, inputs * group, ...usable.map(({ size }) => size - 1)];
      const w = [inputs * group, outputs, ...usable.map(({ kernel }) => kernel)];
      return checkOp({
        build: (b, [x0, w0, b0]) =>
          b.node("ConvTranspose", [x0!, w0!, b0 ?? null], { ...attributesOf(usable), group, output_padding: extra }),
        inputs: [
          { shape: x, declared: ["batch", ...x.slice(1)] },
          { shape: w },
          ...(bias ? [{ shape: [outputs * group] }] : []),
        ],
      });
    }),
    { numRuns: 25 },
  ));

describe("Conv", () => {
  test("in three dimensions", () =>
    checkOp({
      build: (b, [x, w]) => b.node("Conv", [x!, w!], { pads: [1, 0, 1, 0, 1, 0], strides: [1, 2, 1] }),
      inputs: [{ shape: [1, 2, 3, 4, 3] }, { shape: [2, 2, 2, 2, 2] }],
    }));

  test("of patches that tile the input, which becomes one product, gives what the engine's Conv gives", async () => {
    const parts = (disjoint: boolean) =>
      graph((b) => {
        const x = b.input("x", ["batch", 2, 4, 6]);
        const w = b.input("w", [3, 2, 2, 3]);
        // A padding of zeros outside, cut off again, keeps the node a Conv.
        const y = disjoint
          ? b.node("Conv", [x, w, b.input("b", [3])], { strides: [2, 3] })
          : b.node("Conv", [x, w, b.input("b", [3])], { strides: [2, 3], pads: [2, 3, 0, 0] });
        return { y: disjoint ? y : b.slice(b.slice(y, 2, 1), 3, 1) };
      });
    const ramp = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
    const feeds = { x: ramp(96), w: ramp(36), b: ramp(3) };
    const [patches, conv] = await Promise.all([true, false].map((disjoint) => compile(parts(disjoint))));
    const [a, b] = [await patches!.run(feeds), await conv!.run(feeds)];
    await Promise.all([patches!.dispose(), conv!.dispose()]);
    // 12 products of numbers below 1: an error of a few 6e-8.
    a.y!.data.forEach((value, i) => expect(Math.abs(Number(value) - Number(b.y!.data[i]))).toBeLessThan(2e-6));
  });

  test("of patches: its derivatives", () =>
    checkOp({
      build: (b, [x, w, bias]) => b.node("Conv", [x!, w!, bias!], { strides: [2, 3] }),
      inputs: [{ shape: [2, 2, 4, 6], declared: ["batch", 2, 4, 6] }, { shape: [3, 2, 2, 3] }, { shape: [3] }],
    }));

  test.each(["SAME_UPPER", "SAME_LOWER", "VALID"])("with auto_pad %s", (autoPad) =>
    checkOp({
      build: (b, [x, w]) => b.node("Conv", [x!, w!], { auto_pad: autoPad, strides: [2, 1] }),
      inputs: [{ shape: [1, 1, 5, 4] }, { shape: [2, 1, 2, 3] }],
    }),
  );

  test("refuses channels that do not match, naming the node and the shapes", () => {
    const build = () =>
      graph((b) => ({
        y: b.scope("stem", () => b.node("Conv", [b.input("x", ["n", 3, 8, 8]), b.input("w", [4, 2, 3, 3])])),
      }));
    expect(build).toThrow(/Conv "stem\/Conv": expected X \(n, C, …\).*float32 \[n, 3, 8, 8\], float32 \[4, 2, 3, 3\]/);
  });

  test("refuses an input smaller than the kernel", () => {
    const build = () => graph((b) => ({ y: b.node("Conv", [b.input("x", [1, 1, 2, 2]), b.input("w", [1, 1, 3, 3])]) }));
    expect(build).toThrow(/at least as large as the kernel/);
  });
});
