import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Builder, graph } from "../builder/builder.js";
import { numbersOf } from "../ir/tensor.js";
import { compile } from "../runtime/session.js";
import { anyShape } from "../testing/arbitraries.js";
import { checkOp } from "../testing/check-op.js";

const runs = { numRuns: 10 };
const whole = (b: Builder, values: readonly number[]) => b.constant(values, { type: "int64" });

test("Transpose by random permutations", () =>
  fc.assert(
    fc.asyncProperty(
      anyShape({ minRank: 1, maxRank: 4 }).chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          perm: fc.shuffledSubarray(
            shape.map((_, axis) => axis),
            { minLength: shape.length },
          ),
        }),
      ),
      ({ shape, perm }) => checkOp({ build: (b, [x]) => b.transpose(x!, perm), inputs: [{ shape }] }),
    ),
    runs,
  ));

test("two transpositions that undo each other are none", () => {
  const b = new Builder();
  const x = b.input("x", [2, 3, 4]);
  expect(b.transpose(b.transpose(x, [1, 2, 0]), [2, 0, 1])).toBe(x);
});

describe("Reshape", () => {
  test("to any arrangement of the same elements", () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom([24], [2, 12], [4, 6], [2, 3, 4], [1, 24, 1], [2, 2, 3, 2]), (to) =>
        checkOp({ build: (b, [x]) => b.reshape(x!, to), inputs: [{ shape: [2, 3, 4] }] }),
      ),
      runs,
    ));

  test("splits and merges an axis that holds a symbolic size", () =>
    checkOp({
      build: (b, [x]) => b.reshape(b.exp(b.reshape(x!, ["3*batch", 4])), ["batch", 12]),
      inputs: [{ shape: [2, 3, 4], declared: ["batch", 3, 4] }],
    }));

  test("with a size to be found out, and one that is kept", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 6]);
    expect(b.node("Reshape", [x, whole(b, [-1, 3])]).shape).toEqual(["2*batch", 3]);
    expect(b.node("Reshape", [x, whole(b, [0, 2, 3])]).shape).toEqual(["batch", 2, 3]);
    expect(() => b.node("Reshape", [b.input("y", [2, 3]), whole(b, [4, -1])])).toThrow(/Reshape: expected/);
  });

  test("splits two axes of the same symbolic size, where four symbols come out of two", async () => {
    // Each axis is split on its own; once this recursed without end.
    const model = graph((b) => {
      const x = b.input("x", ["batch", 2]);
      const column = b.reshape(x, ["2*batch", 1]);
      const outer = b.matMul(column, b.transpose(column, [1, 0]));
      return { y: b.reshape(outer, ["batch", 2, "batch", 2]) };
    });
    expect(model.outputs.y!.shape).toEqual(["batch", 2, "batch", 2]);
    const session = await compile(model);
    const { y } = await session.run({ x: [1, 2, 3, 4, 5, 6] });
    await session.dispose();
    expect(y!.shape).toEqual([3, 2, 3, 2]);
    const all = [1, 2, 3, 4, 5, 6];
    expect(numbersOf(y!)).toEqual(all.flatMap((a) => all.map((c) => a * c)));
  });

  test("splits an input declared with two axes of 10 times the batch", () => {
    const b = new Builder();
    const x = b.input("x", ["10*batch", "10*batch"]);
    b.input("examples", ["batch"]);
    expect(b.reshape(x, ["batch", 10, "batch", 10]).shape).toEqual(["batch", 10, "batch", 10]);
  });
});

test("Squeeze and Unsqueeze at random places", () =>
  fc.assert(
    fc.asyncProperty(anyShape({ minRank: 1, maxRank: 3 }), fc.nat(3), (shape, at) => {
      const axis = Math.min(at, shape.length);
      return checkOp({
        build: (b, [x]) => b.mul(b.squeeze(b.exp(b.unsqueeze(x!, [axis])), [axis]), x!),
        inputs: [{ shape }],
      });
    }),
    runs,
  ));

test("Squeeze refuses an axis that is not 1", () => {
  const b = new Builder();
  expect(() => b.squeeze(b.input("x", [2, 3]), [1])).toThrow(/Squeeze: expected .*, got float32 \[2, 3\]/);
});

test("Flatten at every axis", async () => {
  for (const axis of [0, 1, 2, 3, -1])
    await checkOp({ build: (b, [x]) => b.node("Flatten", [x!], { axis }), inputs: [{ shape: [2, 3, 2] }] });
});

test("Expand sums cotangents over what was repeated", async () => {
  for (const shape of [[3], [1, 3], [2, 1], [1, 1]])
    await checkOp({ build: (b, [x]) => b.expandTo(x!, [2, 3]), inputs: [{ shape }] });
  await checkOp({
    build: (b, [x, like]) => b.expandTo(x!, like!.shape),
    inputs: [{ shape: [1, 3] }, { shape: [4, 3], declared: ["batch", 3] }],
    wrt: [0],
  });
});
