import { expect, test } from "vitest";
import { binLimits, columnEnds, countDensity, countEigenvalues } from "./spectrum-map.js";

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

test("every eigenvalue inside the bins is counted once, in its own", () => {
  const limits = binLimits({ kind: "log" }, [0.01, 100], 4);
  expect([...limits].map((value) => Number(value.toPrecision(12)))).toEqual([0.01, 0.1, 1, 10, 100]);
  const spectrum = {
    eigenvalues: [-1, 0, 0, 0.05, 0.5, 0.6, 20, 99, 1000],
    examples: 9,
    edge: NaN,
    residuals: null,
    loss: NaN,
  };
  expect([...countEigenvalues(spectrum, limits)]).toEqual([1, 2, 0, 2]);
});

test("a density's counts are its integral: all of it over all bins, and exact where it is linear", () => {
  // A triangle over −1 … 1 with its peak 1 at 0: the integral from −1 to x ≤ 0 is (1 + x)²/2.
  const triangle = { grid: [-1, 0, 1], density: [0, 1, 0], size: 1000, lambdaMax: 1, edge: NaN };
  const counts = countDensity(triangle, Float64Array.of(-2, -0.5, 0, 0.5, 2));
  expect(sum(counts)).toBeCloseTo(1000, 9);
  [125, 375, 375, 125].forEach((count, i) => expect(counts[i]).toBeCloseTo(count, 9));
});

test("columns meet half-way on the scale", () => {
  expect(columnEnds([0, 10, 40], { kind: "linear" }, 50)).toEqual([5, 25, 50]);
  const [first] = columnEnds([0, 100], { kind: "asinh", threshold: 1 }, 100);
  expect(Math.asinh(first!)).toBeCloseTo(Math.asinh(100) / 2, 12);
});
