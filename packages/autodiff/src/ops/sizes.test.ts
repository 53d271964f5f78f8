import { expect, test } from "vitest";
import { Builder, graph } from "../builder/builder.js";
import { numbersOf, tensor } from "../ir/tensor.js";
import { compile } from "../runtime/session.js";

test("Shape and Size know the sizes that are known, and compute the others when run", async () => {
  const b = new Builder();
  const x = b.input("x", ["n", 3, "m"]);
  expect(b.node("Shape", [x]).content).toEqual(["n", 3, "m"]);
  expect(b.node("Shape", [x], { start: -2 }).content).toEqual([3, "m"]);
  expect(b.node("Size", [x]).content).toEqual(["3*m*n"]);

  const session = await compile(
    graph((g) => {
      const y = g.input("x", ["n", 3, "m"]);
      return {
        shape: g.node("Shape", [y]),
        size: g.node("Size", [y]),
        end: g.node("Shape", [y], { start: 1, end: -1 }),
      };
    }),
  );
  const { shape, size, end } = await session.run({ x: tensor(new Float32Array(24), [2, 3, 4]) });
  await session.dispose();
  expect([numbersOf(shape!), numbersOf(size!), numbersOf(end!)]).toEqual([[2, 3, 4], [24], [3]]);
});

test("ConstantOfShape and Range of sizes that are free", async () => {
  const session = await compile(
    graph((g) => {
      const x = g.input("x", ["n", 2]);
      const n = g.squeeze(g.node("Shape", [x], { start: 0, end: 1 }), [0]);
      const count = (value: number) => g.constant(value, { type: "int64" });
      return {
        filled: g.node("ConstantOfShape", [g.node("Shape", [x])], { value: tensor([7], [1]) }),
        upwards: g.node("Range", [count(1), n, count(2)]),
        downwards: g.node("Range", [n, count(0), count(-2)]),
      };
    }),
  );
  const { filled, upwards, downwards } = await session.run({ x: new Float32Array(10) });
  await session.dispose();
  expect(filled).toEqual({ type: "float32", shape: [5, 2], data: new Float32Array(10).fill(7) });
  expect(numbersOf(upwards!)).toEqual([1, 3]);
  expect(numbersOf(downwards!)).toEqual([5, 3, 1]);
});

test("nothing depends continuously on a size", () => {
  const b = new Builder();
  const x = b.input("x", ["n", 3]);
  const count = b.cast(b.squeeze(b.node("Shape", [x], { start: 0, end: 1 }), [0]), "float32");
  expect(b.vjp([count], [b.constant(1)], [x])).toEqual([null]);
});
