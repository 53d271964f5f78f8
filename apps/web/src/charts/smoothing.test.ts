import { expect, test } from "vitest";
import { smoother } from "./smoothing.js";

const smooth = (values: readonly number[], weight: number) => values.map(smoother(weight));

test("a constant stays what it is from the first point on", () => {
  // Sums of n terms divided by their weights: a few ulps.
  for (const value of smooth(new Array<number>(50).fill(0.3), 0.9)) expect(Math.abs(value - 0.3)).toBeLessThan(1e-15);
});

test("two points by hand: the second weighs 1, the first w, over 1 + w", () => {
  const [first, second] = smooth([1, 4], 0.5);
  expect(first).toBe(1);
  expect(second).toBe((0.5 * 1 + 4) / 1.5);
});

test("what is not finite stays, and does not count", () => {
  const smoothed = smooth([1, NaN, Infinity, 1], 0.9);
  expect(smoothed.slice(0, 3)).toEqual([1, NaN, Infinity]);
  expect(smoothed[3]).toBeCloseTo(1, 12);
});

test("no smoothing is the data themselves", () => {
  expect(smooth([1, 2], 0)).toEqual([1, 2]);
});
