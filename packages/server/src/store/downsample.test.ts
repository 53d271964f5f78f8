import fc from "fast-check";
import { expect, test } from "vitest";
import { downsample } from "./downsample.js";
import type { Series } from "./series.js";

const series = (values: readonly number[]): Series => ({
  steps: Float64Array.from(values, (_, i) => i * 3),
  times: Float64Array.from(values, (_, i) => 1e12 + i),
  values: Float64Array.from(values),
});
const anyValues = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.double({ noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
  ),
  { minLength: 1, maxLength: 400 },
);

test("what remains are points of the series in order, at most so many, the first and the last among them", () => {
  fc.assert(
    fc.property(anyValues, fc.integer({ min: 8, max: 100 }), (values, points) => {
      const whole = series(values);
      const part = downsample(whole, points);
      expect(part.values.length).toBeLessThanOrEqual(points);
      const indices = Array.from(part.steps, (step) => step / 3);
      expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
      expect([...part.values]).toEqual(indices.map((i) => values[i]));
      expect([...part.times]).toEqual(indices.map((i) => 1e12 + i));
      expect([indices[0], indices.at(-1)]).toEqual([0, values.length - 1]);
    }),
  );
});

test("the extremes of the series remain, and it is broken where it was broken", () => {
  fc.assert(
    fc.property(anyValues, fc.integer({ min: 8, max: 100 }), (values, points) => {
      const part = [...downsample(series(values), points).values];
      const finite = values.filter(Number.isFinite);
      const finitePart = part.filter(Number.isFinite);
      if (finite.length > 0) {
        expect(Math.max(...finitePart)).toBe(Math.max(...finite));
        expect(Math.min(...finitePart)).toBe(Math.min(...finite));
      }
      expect(finitePart.length < part.length).toBe(finite.length < values.length);
    }),
  );
});

test("a short series is left as it is", () => {
  const whole = series([1, 2, 3]);
  expect(downsample(whole, 8)).toBe(whole);
});

test("a spike of one point among a million survives", () => {
  const values = new Array<number>(1_000_000).fill(1);
  values[654_321] = 100;
  const { steps, values: kept } = downsample(series(values), 100);
  expect(steps[kept.indexOf(100)]).toBe(3 * 654_321);
});

test.each([7, 0, -1, 8.5, NaN])("%d points are refused", (points) => {
  expect(() => downsample(series([1]), points)).toThrow(RangeError);
});
