import fc from "fast-check";
import { expect, test } from "vitest";
import { probeSteps } from "./cadence.js";

test("the main example is measured as documented", () => {
  expect(probeSteps(12_000)).toEqual([
    0, 1, 3, 8, 23, 65, 186, 528, 1500, 3000, 4500, 6000, 7500, 9000, 10_500, 12_000,
  ]);
});

test("every: multiples of it and the last step", () => {
  expect(probeSteps(25, { every: 10 })).toEqual([0, 10, 20, 25]);
  expect(probeSteps(5, { every: 10 })).toEqual([0, 5]);
});

test("count: ascending, distinct, from first to last, and exactly as many as fit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 200 }), (steps, count) => {
      const chosen = probeSteps(steps, { count });
      expect(chosen).toHaveLength(Math.min(count, steps + 1));
      expect([chosen[0], chosen.at(-1)]).toEqual([0, steps]);
      for (let i = 1; i < chosen.length; i++) expect(chosen[i]!).toBeGreaterThan(chosen[i - 1]!);
    }),
  );
});

test("refuses numbers that are no counts", () => {
  expect(() => probeSteps(0)).toThrow("expected steps to be a whole number, at least 1, got 0");
  expect(() => probeSteps(10, { count: 1 })).toThrow("expected count to be a whole number, at least 2, got 1");
  expect(() => probeSteps(10, { every: 0.5 })).toThrow("got 0.5");
});
