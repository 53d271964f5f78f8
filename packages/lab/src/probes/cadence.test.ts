import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cadence, probeSteps, type Spent } from "./cadence.js";

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

test("a fixed cadence measures at all of its steps and foresees what is left", () => {
  const fixed = cadence(100, { every: 25 });
  expect(fixed.candidates).toEqual([0, 25, 50, 75, 100]);
  const spent: Spent = { step: 50, training: 1, probes: 6, lastMeasurement: 2, distance: -Infinity };
  expect(fixed.due(spent)).toBe(true);
  expect(fixed.secondsLeft(spent, 1)).toBe(4); // two more of the three that took six seconds
});

describe("a budget", () => {
  /** A run of 1000 steps on a clock of its own. */
  function simulate(budget: number, secondsPerStep: number, secondsPerMeasurement: number, distance: number) {
    const plan = cadence(1000, { budget });
    const measuredAt: number[] = [];
    let [probes, lastMeasurement] = [0, 0];
    for (const step of plan.candidates) {
      const training = step * secondsPerStep;
      if (!plan.due({ step, training, probes, lastMeasurement, distance })) continue;
      measuredAt.push(step);
      probes += lastMeasurement = secondsPerMeasurement;
    }
    return { measuredAt, share: probes / (probes + 1000 * secondsPerStep) };
  }

  test("is kept to the last measurement, and used up near an edge", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0.02, max: 1, noNaN: true }),
        (budget, cost) => {
          const { share, measuredAt } = simulate(budget, 0.1, cost, 1);
          const measurements = measuredAt.length;
          expect(measuredAt[0]).toBe(0);
          expect(measuredAt.at(-1)).toBe(1000);
          // First and last are made in any case; all others only where they fit.
          if (measurements > 2) expect(share).toBeLessThanOrEqual(budget + 1e-12);
          // What is left over is less than one measurement, unless every candidate was used: 10 powers of 2 and 200 others.
          const allowed = (budget / (1 - budget)) * 100;
          if (measurements > 2 && measurements < 200) expect(allowed - measurements * cost).toBeLessThan(1.2 * cost);
        },
      ),
    );
  });

  test("is spent early: half of it in the first quarter of the run", () => {
    const { measuredAt } = simulate(0.05, 0.1, 0.1, 1);
    const early = measuredAt.filter((step) => step <= 250).length;
    expect(Math.abs(early / measuredAt.length - 0.5)).toBeLessThan(0.05);
  });

  test("is spent more freely near an edge", () => {
    const count = (distance: number) => simulate(0.05, 0.1, 0.5, distance).measuredAt.length;
    expect(count(1)).toBeGreaterThan(count(0.3));
    expect(count(-Infinity)).toBe(count(0.3));
  });

  test("that is too small for any leaves the first and the last measurement", () => {
    expect(simulate(0.05, 0.001, 1, 1).measuredAt).toEqual([0, 1000]);
  });

  test("must be a share", () => {
    expect(() => cadence(10, { budget: 1 })).toThrow("expected a budget above 0 and below 1, got 1");
  });
});
