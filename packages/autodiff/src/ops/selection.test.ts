import { describe, expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { checkOp } from "../testing/check-op.js";

describe("Where", () => {
  test("sends cotangents to the branch taken, broadcasts included", () =>
    checkOp({
      build: (g, [condition, x, y]) => g.where(g.greater(condition!, 0), x!, y!),
      inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [3] }],
      wrt: [1, 2],
    }));

  test("with one branch a number", () =>
    checkOp({
      build: (g, [x]) => g.where(g.less(x!, 0), g.mul(x!, x!), 2),
      inputs: [{ shape: [4], values: [-2, -0.5, 0.5, 2] }],
    }));
});

test("Clip lets through what lies inside its bounds", async () => {
  const inputs = [{ shape: [5], values: [-2.5, -0.6, 0.1, 0.7, 3] }];
  await checkOp({ build: (g, [x]) => g.clip(g.mul(x!, x!), 0.2, 4), inputs });
  await checkOp({ build: (g, [x]) => g.clip(x!, null, 0.5), inputs });
});

test("Cast between float types is linear: tangents and cotangents are cast along", () => {
  const g = new Builder();
  const x = g.input("x", [3], "float64");
  const y = g.cast(x, "float32");
  const [dy] = g.jvp([y], [x], [x]);
  expect(dy).toBe(y);
  const [dx] = g.vjp([y], [y], [x]);
  expect(dx).toBe(g.cast(y, "float64"));
});

test("Cast to an integer is a step", () =>
  checkOp({
    build: (g, [x]) => g.cast(g.cast(x!, "int64"), "float64"),
    inputs: [{ shape: [3], values: [0.3, 1.6, -1.2] }],
  }));

test("comparisons of sizes are known while building", () => {
  const g = new Builder();
  const n = g.node("Shape", [g.input("x", ["n"])]);
  expect(g.equal(n, g.integers([-1])).content).toEqual([0]);
  expect(g.equal(n, n).content).toEqual([1]);
  expect(g.equal(n, g.integers([3])).content).toBeUndefined();
  // The target that PyTorch computes for expand(−1, 4): sizes of −1 stay as they are.
  const wanted = g.integers([-1, 4]);
  const kept = g.where(g.equal(wanted, g.integers([-1])), g.concat([n, g.integers([1])], 0), wanted);
  expect(kept.content).toEqual(["n", 4]);
});

test("Where refuses a condition that is not bool", () => {
  const g = new Builder();
  const x = g.input("x", [2]);
  expect(() => g.where(x, 1, 2)).toThrow("expected a bool condition");
});
