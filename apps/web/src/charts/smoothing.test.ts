import { expect, test } from "vitest";
import { smooth } from "./smoothing.js";

test("a constant stays what it is from the first point on", () => {
  // Sums of n terms divided by their weights: a few ulps.
  for (const value of smooth(new Float64Array(50).fill(0.3), 0.9)) expect(Math.abs(value - 0.3)).toBeLessThan(1e-15);
});

test("two points by hand: the second weighs 1, the first w, over 1 + w", () => {
  const [first, second] = smooth(Float64Array.of(1, 4), 0.5);
  expect(first).toBe(1);
  expect(second).toBe((0.5 * 1 + 4) / 1.5);
});

test("what is not finite stays, and does not count", () => {
  const smoothed = smooth(Float64Array.of(1, NaN, Infinity, 1), 0.9);
  expect([...smoothed.subarray(0, 3)]).toEqual([1, NaN, Infinity]);
  expect(smoothed[3]).toBeCloseTo(1, 12);
});

test("no smoothing is the data themselves", () => {
  const values = Float64Array.of(1, 2);
  expect(smooth(values, 0)).toBe(values);
});
