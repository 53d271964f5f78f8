import { expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { roundings } from "./roundings.js";

test("counts the terms of sums, units of functions, and nothing for what only arranges, along the longest path", () => {
  const layer = graph((b) => {
    const x = b.input("x", ["batch", 5]);
    const hidden = b.tanh(b.dense(x, b.input("w", [5, 7]), b.input("b", [7])));
    return { y: b.reduceSum(b.transpose(hidden, [1, 0]), [1]), short: b.add(x, 1) };
  });
  // 5 products and a bias, tanh, the sum over 3 examples.
  expect(roundings(layer, { batch: 3 })).toBe(6 + 8 + 3);
});
