import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import { estimateOf, scaled, studentQuantile } from "./estimate.js";

test.each([
  [1, 12.7062],
  [2, 4.30265],
  [3, 3.18245],
  [4, 2.77645],
  [9, 2.26216],
  [29, 2.04523],
  [1000, 1.96234],
])("Student's quantile with %i degrees of freedom, as in the tables", (degrees, expected) => {
  expect(Math.abs(studentQuantile(degrees) / expected - 1)).toBeLessThan(5e-3);
});

test("mean, standard error and interval of four numbers by hand", () => {
  // Mean 2.5, Σ(x − mean)² = 5, s² = 5/3, s/√4 = 0.645497; t₃ = 3.18245.
  const { value, standardError, low, high, samples } = estimateOf([1, 2, 3, 4]);
  expect([value, samples]).toEqual([2.5, 4]);
  expect(standardError).toBeCloseTo(0.645497, 6);
  expect(high - value).toBeCloseTo(3.18245 * 0.645497, 1);
  expect(value - low).toBeCloseTo(high - value, 12);
});

test("one sample has no error bar, none no value", () => {
  expect(estimateOf([3])).toEqual({ value: 3, standardError: NaN, low: NaN, high: NaN, samples: 1 });
  expect(estimateOf([]).value).toBeNaN();
});

test("scales like the number that it estimates", () => {
  const samples = [1, 5, 2];
  const expected = estimateOf(samples.map((x) => 3 - 2 * x));
  const { value, standardError, low, high } = scaled(estimateOf(samples), -2, 3);
  expect(value).toBeCloseTo(expected.value, 12);
  expect(standardError).toBeCloseTo(expected.standardError, 12);
  expect([low, high].map((x) => x.toFixed(9))).toEqual([expected.low, expected.high].map((x) => x.toFixed(9)));
});

test("the interval holds the truth in 95 of 100 trials, with five samples each", () => {
  const random = createRandom("coverage");
  const trials = 2000;
  let held = 0;
  for (let i = 0; i < trials; i++) {
    const { low, high } = estimateOf(random.normals(5).map((x) => 7 + 3 * x));
    if (low <= 7 && 7 <= high) held++;
  }
  // A binomial of 2000 at 0.95 has a standard deviation of 0.5 %.
  expect(Math.abs(held / trials - 0.95)).toBeLessThan(0.015);
});
