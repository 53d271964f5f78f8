import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { padded, panned, project, ticks, unproject, within, zoomed, type Domain, type Scale } from "./scale.js";

const linear: Scale = { kind: "linear" };
const log: Scale = { kind: "log" };
const asinh: Scale = { kind: "asinh", threshold: 1 };

const anyScale = fc.constantFrom(linear, log, asinh);
/** Positive, so that every scale has a place for it. */
const anyDomain = fc
  .tuple(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.double({ min: 1.01, max: 1e6, noNaN: true }))
  .map(([low, factor]): Domain => [low, low * factor]);

/** Two logarithms and a power: a few ulps each of numbers up to 30, so 1e-12 relative is ample. */
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b), 1e-6);

test("unproject is the inverse of project", () => {
  fc.assert(
    fc.property(anyScale, fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (scale, value) => {
      expect(near(unproject(scale, project(scale, value)), value)).toBe(true);
    }),
  );
});

test("what a scale has no place for is NaN", () => {
  expect([0, -1, NaN, Infinity].map((value) => project(log, value))).toEqual([NaN, NaN, NaN, NaN]);
  expect([NaN, Infinity, -Infinity].map((value) => project(linear, value))).toEqual([NaN, NaN, NaN]);
  expect(project(asinh, 0)).toBe(0);
});

describe("ticks", () => {
  test("lie inside the domain, ascend, and are at most as many as asked for", () => {
    fc.assert(
      fc.property(anyScale, anyDomain, fc.integer({ min: 2, max: 12 }), (scale, domain, most) => {
        const found = ticks(scale, domain, most);
        const slack = 1e-8 * domain[1]; // a tick on the rim may lie a rounding error outside
        expect(found.every((value) => value >= domain[0] - slack && value <= domain[1] + slack)).toBe(true);
        expect(found.every((value, i) => i === 0 || value > found[i - 1]!)).toBe(true);
        expect(found.length).toBeLessThanOrEqual(most + 1);
      }),
    );
  });

  test("leave no chart without numbers", () => {
    fc.assert(
      fc.property(anyScale, anyDomain, fc.integer({ min: 4, max: 12 }), (scale, domain, most) => {
        expect(ticks(scale, domain, most).length).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  test.each<[Scale, Domain, number, number[]]>([
    [linear, [0, 1], 6, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [linear, [0, 12_000], 7, [0, 2000, 4000, 6000, 8000, 10_000, 12_000]],
    [linear, [0.1, 0.55], 5, [0.1, 0.2, 0.3, 0.4, 0.5]],
    [log, [0.01, 100], 6, [0.01, 0.1, 1, 10, 100]],
    [log, [0.09, 3], 7, [0.1, 0.2, 0.5, 1, 2]],
    [log, [1e-6, 1e6], 4, [1e-4, 1, 1e4]],
    [log, [0.62, 0.78], 5, [0.65, 0.7, 0.75]],
    [asinh, [0, 12_000], 8, [0, 1, 10, 100, 1000, 10_000]],
  ])("of %j %j, at most %i", (scale, domain, most, expected) => {
    expect(ticks(scale, domain, most)).toEqual(expected);
  });

  test("of an empty or impossible domain are none", () => {
    expect(ticks(linear, [1, 1], 5)).toEqual([]);
    expect(ticks(linear, [NaN, 1], 5)).toEqual([]);
  });
});

test("padding adds the same share at both ends, as seen on the scale", () => {
  expect(padded(linear, [0, 10], 0.1)).toEqual([-1, 11]);
  const [low, high] = padded(log, [1, 100], 0.5);
  expect(near(low, 0.1) && near(high, 1000)).toBe(true);
  expect(padded(linear, [4, 4], 0)).toEqual([2, 6]); // a single value gets room
  expect(padded(linear, [0, 0], 0)).toEqual([-0.5, 0.5]);
});

test("zooming in and out by the same factor about the same value changes nothing", () => {
  fc.assert(
    fc.property(anyScale, anyDomain, fc.double({ min: 1.1, max: 8, noNaN: true }), (scale, domain, factor) => {
      const about = domain[0];
      const [low, high] = zoomed(scale, zoomed(scale, domain, about, factor), about, 1 / factor);
      // The linear scale adds and takes away numbers as large as the domain's end.
      expect(Math.abs(low - domain[0])).toBeLessThanOrEqual(1e-9 * domain[1]);
      expect(Math.abs(high - domain[1])).toBeLessThanOrEqual(1e-9 * domain[1]);
    }),
  );
});

test("panning and zooming stop at the limits", () => {
  expect(within(linear, panned(linear, [2, 4], -2), [0, 10])).toEqual([0, 2]);
  expect(within(linear, panned(linear, [2, 4], 9), [0, 10])).toEqual([8, 10]);
  expect(within(linear, zoomed(linear, [2, 4], 3, 0.01), [0, 10])).toEqual([0, 10]);
  expect(within(linear, [3, 5], [0, 10])).toEqual([3, 5]);
});
