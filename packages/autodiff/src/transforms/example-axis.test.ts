import { expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { exampleAxis } from "./example-axis.js";

const b = new Builder();
const x = b.input("x", ["batch", 4, 6]);
const axisOf = (value: Value) => exampleAxis(value, "batch");

test("an axis that is the batch, wherever it stands", () => {
  expect(axisOf(x)).toEqual({ axis: 0, before: 1, after: 1 });
  expect(axisOf(b.transpose(x, [1, 0, 2]))).toEqual({ axis: 1, before: 1, after: 1 });
});

// By the layout of row-major arrays: of [batch, 4, 6] as [batch·4, 6] the examples come first, of [4, batch, 6] last.
test("an axis into which the batch was merged, and what is computed from it", () => {
  const first = b.reshape(x, ["4*batch", 6]);
  const last = b.reshape(b.transpose(x, [1, 0, 2]), ["4*batch", 6]);
  expect(axisOf(first)).toEqual({ axis: 0, before: 1, after: 4 });
  expect(axisOf(last)).toEqual({ axis: 0, before: 4, after: 1 });
  expect(axisOf(b.tanh(b.gemm(last, b.input("w", [6, 3]))))).toEqual({ axis: 0, before: 4, after: 1 });
  expect(axisOf(b.transpose(b.tanh(first), [1, 0]))).toEqual({ axis: 1, before: 1, after: 4 });
  expect(axisOf(b.reshape(b.tanh(last), [2, "2*batch", 6]))).toEqual({ axis: 1, before: 2, after: 1 });
});

test("null where there is no batch, or where it cannot be followed", () => {
  expect(axisOf(b.input("y", [4, 6]))).toBeNull();
  const first = b.reshape(x, ["4*batch", 6]);
  expect(axisOf(b.concat([first, first], 0))).toBeNull();
  expect(axisOf(b.matMul(b.reshape(x, ["batch", 24]), b.reshape(b.transpose(x, [1, 2, 0]), [24, "batch"])))).toBeNull();
});
