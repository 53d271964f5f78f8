import fc from "fast-check";
import { expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { shapeWithAxes } from "../testing/arbitraries.js";
import { checkOp } from "../testing/check-op.js";

const ops = [
  "ReduceSum",
  "ReduceMean",
  "ReduceProd",
  "ReduceSumSquare",
  "ReduceL2",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMin",
  "ReduceL1",
  "ReduceLogSum",
];

/** Spread out, so that no two lie within a step of each other and none near 0. */
const distinct = (shape: readonly number[]) => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: size }, (_, i) => 0.4 + ((i * 37) % (2 * size + 1)) / (2 * size + 1));
};

test.each(ops)("%s over random axes, kept or not", (op) =>
  fc.assert(
    fc.asyncProperty(shapeWithAxes, fc.boolean(), ({ shape, axes }, keep) =>
      checkOp({
        build: (g, [x]) => g.node(op, [x!, axes.length > 0 ? g.integers(axes) : null], { keepdims: Number(keep) }),
        inputs: [{ shape, values: distinct(shape) }],
      }),
    ),
    { numRuns: 5 },
  ),
);

test.each(ops)("%s over a symbolic batch", (op) =>
  checkOp({
    build: (g, [x]) => g.node(op, [x!, g.integers([0])], { keepdims: 0 }),
    inputs: [{ shape: [4, 3], values: distinct([4, 3]), declared: ["batch", 3] }],
  }),
);

test.each([
  ["no zero", [2, -3, 0.5]],
  ["one zero", [2, 0, 0.5]],
  ["two zeros", [0, 0, 0.5]],
])("ReduceProd with %s", (_, values) =>
  checkOp({ build: (g, [x]) => g.reduceProd(x!), inputs: [{ shape: [3], values }], twice: false }),
);

test("ReduceL2 has the subgradient 0 at 0", async () => {
  const b = new Builder();
  const x = b.input("x", [3], "float64");
  const [dx] = b.vjp([b.node("ReduceL2", [x], { keepdims: 0 })], [b.constant(1, { type: "float64" })], [x]);
  expect(dx!.shape).toEqual([3]);
});

test("axes count from the back too, and none means all", async () => {
  await checkOp({ build: (g, [x]) => g.reduceSum(x!, [-1]), inputs: [{ shape: [2, 3] }] });
  await checkOp({ build: (g, [x]) => g.reduceMean(x!), inputs: [{ shape: [2, 3] }] });
  const g = new Builder();
  expect(() => g.reduceSum(g.input("x", [2]), [1])).toThrow("expected an axis from -1 to 0, not 1");
});
