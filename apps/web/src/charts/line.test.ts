import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { Series } from "../data/series.js";
import { lineOf, visibleExtent, type LineOptions } from "./line.js";

const run = { startedAt: 1000, config: { learningRate: 0.5 } } as unknown as RunSummary;
const options: LineOptions = {
  xAxis: "training-time",
  xScale: { kind: "linear" },
  yScale: { kind: "log" },
  smoothing: 0.5,
  band: true,
};

const anyChange = fc.record({
  step: fc.nat(30),
  value: fc.constantFrom(0.1, 1, 2, -1, NaN, Infinity),
  error: fc.constantFrom(null, 0.1, 3, NaN),
  /** Whether somebody looks at the line before the next change. */
  look: fc.boolean(),
});

test("a line that has grown with its series is the line made of all of it at once", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), (changes) => {
      const [series, errors] = [new Series(), new Series()];
      for (const { step, value, error, look } of changes) {
        series.set(step, 1000 + step, value);
        if (error !== null) errors.set(step, 1000 + step, error);
        if (look) lineOf(series, errors, run, options);
      }
      const [sameSeries, sameErrors] = [new Series(), new Series()];
      sameSeries.merge({ steps: [...series.steps], times: [...series.times], values: [...series.values] });
      sameErrors.merge({ steps: [...errors.steps], times: [...errors.times], values: [...errors.values] });
      expect(lineOf(series, errors, run, options)).toEqual(lineOf(sameSeries, sameErrors, run, options));
    }),
  );
});

test("nothing new is the same line; a point at the end keeps those before it; another axis is another line", () => {
  const series = new Series();
  for (let step = 0; step < 100; step++) series.set(step, 1000 + 500 * step, 1 + step);
  const first = lineOf(series, undefined, run, { ...options, smoothing: 0 });
  expect(lineOf(series, undefined, run, { ...options, smoothing: 0 })).toBe(first);
  expect(first.x[10]).toBe(5); // 10 steps of 0.5
  series.set(100, 51_000, 7);
  const grown = lineOf(series, undefined, run, { ...options, smoothing: 0 });
  expect(grown.x.buffer).toBe(first.x.buffer);
  expect([grown.x.length, grown.shownPoints, grown.extent]).toEqual([101, 101, [1, 100]]);
  const inTime = lineOf(series, undefined, run, { ...options, smoothing: 0, xAxis: "time" });
  expect(inTime.x[100]).toBe(50);
});

test("within a domain, the points inside count, and one at each side", () => {
  const series = new Series();
  for (const step of [0, 1, 2, 3, 4, 5]) series.set(step, 0, step === 3 ? NaN : 10 ** step);
  const line = lineOf(series, undefined, run, { ...options, smoothing: 0, xAxis: "step" });
  expect(visibleExtent(line, [2, 3.5])).toEqual({ extent: [10, 1e5], points: 4 });
  expect(visibleExtent(line, [0, 5])).toEqual({ extent: [1, 1e5], points: 5 });
});
