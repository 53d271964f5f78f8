import { expect, test } from "vitest";
import { decimals, logSteps, mean, quantile, scientific, standardErrorOfMean } from "./numbers.js";

test("logSteps(last, count) starts at 0 and 1, ends at last, and grows by a steady factor", () => {
  expect(logSteps(1000, 4)).toEqual([0, 1, 10, 100, 1000]);
  const steps = logSteps(10_000, 80);
  expect(steps.at(-1)).toBe(10_000);
  expect(new Set(steps).size).toBe(steps.length);
});

test("the standard error of a mean is s/√n", () => {
  // Deviations −1, 0, 1: s² = 1, n = 3.
  expect(standardErrorOfMean([1, 2, 3])).toBeCloseTo(1 / Math.sqrt(3), 15);
  expect(standardErrorOfMean([1])).toBeNaN();
  expect(standardErrorOfMean([1, Infinity])).toBeNaN();
  expect(mean([1, 2, 6])).toBe(3);
});

test("quantiles are interpolated, and survive infinities", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([1, 2, Infinity], 0.5)).toBe(2);
  expect(quantile([1, Infinity, Infinity], 0.9)).toBe(Infinity);
});

test("numbers are printed as in print", () => {
  expect(decimals(-0.126)).toBe("−0.13");
  expect(decimals(Infinity)).toBe("∞");
  expect(scientific(0.00042)).toBe("4.2 × 10^-4");
  expect(scientific(0)).toBe("0");
});
