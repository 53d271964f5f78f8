import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lowerBound, nearestIndex, Series } from "./series.js";

const content = (series: Series) => [...series.steps].map((step, i) => [step, series.times[i]!, series.values[i]!]);
/** Few steps, so that many coincide. */
const anyPoints = fc.array(fc.tuple(fc.nat(40), fc.nat(9), fc.nat(99)), { maxLength: 150 });

describe("a series", () => {
  test("is what a map from step to point would hold, whatever the order", () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        const series = new Series();
        const map = new Map<number, number[]>();
        for (const [step, time, value] of points) {
          series.set(step, time, value);
          map.set(step, [step, time, value]);
        }
        expect(content(series)).toEqual([...map.values()].sort((a, b) => a[0]! - b[0]!));
      }),
    );
  });

  test("merges a history as if its points were set one by one", () => {
    fc.assert(
      fc.property(anyPoints, anyPoints, (live, history) => {
        const sorted = [...new Map(history.map((point) => [point[0], point])).values()].sort((a, b) => a[0] - b[0]);
        const [merged, oneByOne] = [new Series(), new Series()];
        for (const series of [merged, oneByOne]) for (const point of live) series.set(...point);
        merged.merge({
          steps: sorted.map(([step]) => step),
          times: sorted.map(([, time]) => time),
          values: sorted.map(([, , value]) => value),
        });
        for (const point of sorted) oneByOne.set(...point);
        expect(content(merged)).toEqual(content(oneByOne));
      }),
    );
  });

  test("keeps NaN and infinities, and says when it has changed", () => {
    const series = new Series();
    series.set(1, 0, NaN);
    series.set(2, 0, Infinity);
    const { version } = series;
    expect([...series.values]).toEqual([NaN, Infinity]);
    series.set(2, 0, 5);
    expect(series.version).not.toBe(version);
  });
});

test("lowerBound and nearestIndex agree with a search from the left", () => {
  const anySorted = fc
    .uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 30 })
    .map((list) => list.sort((a, b) => a - b));
  fc.assert(
    fc.property(anySorted, fc.integer({ min: -60, max: 60 }), (sorted, value) => {
      const first = sorted.findIndex((item) => item >= value);
      expect(lowerBound(sorted, value)).toBe(first < 0 ? sorted.length : first);
      const distances = sorted.map((item) => Math.abs(item - value));
      expect(nearestIndex(sorted, value)).toBe(distances.indexOf(Math.min(...distances)));
    }),
  );
});
