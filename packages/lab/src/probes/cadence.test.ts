import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cadence, defaultBudget, probeSteps, type CadenceOptions, type Spent } from "./cadence.js";

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
  const probes = { loss: { total: 2, last: 1 }, sharpness: { total: 4, last: 1 } };
  const spent: Spent = { step: 50, training: 1, probes, distance: -Infinity };
  expect(fixed.due(spent)).toEqual(["loss", "sharpness"]);
  expect(fixed.budget).toBeUndefined();
  expect(fixed.secondsLeft(spent, 1)).toBe(4); // two more of the three that took six seconds
});

/** A run of 1000 steps on a clock of its own, with probes of given costs. */
function simulate(options: CadenceOptions, secondsPerStep: number, costs: Record<string, number>, distance: number) {
  const plan = cadence(1000, options);
  const measuredAt: Record<string, number[]> = Object.fromEntries(Object.keys(costs).map((name) => [name, []]));
  const probes = Object.fromEntries(Object.keys(costs).map((name) => [name, { total: 0, last: 0 }]));
  for (const step of plan.candidates) {
    for (const name of plan.due({ step, training: step * secondsPerStep, probes, distance })) {
      measuredAt[name]!.push(step);
      probes[name] = { total: probes[name]!.total + costs[name]!, last: costs[name]! };
    }
  }
  const spent = Object.values(probes).reduce((sum, { total }) => sum + total, 0);
  return { measuredAt, probes, share: spent / (spent + 1000 * secondsPerStep) };
}

describe("a budget", () => {
  const one = (budget: number, secondsPerStep: number, cost: number, distance: number) => {
    const { measuredAt, share } = simulate({ budget }, secondsPerStep, { only: cost }, distance);
    return { measuredAt: measuredAt["only"]!, share };
  };

  test("is kept to the last measurement, and used up near an edge", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0.02, max: 1, noNaN: true }),
        (budget, cost) => {
          const { share, measuredAt } = one(budget, 0.1, cost, 1);
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
    const { measuredAt } = one(0.05, 0.1, 0.1, 1);
    const early = measuredAt.filter((step) => step <= 250).length;
    expect(Math.abs(early / measuredAt.length - 0.5)).toBeLessThan(0.05);
  });

  test("is spent more freely near an edge", () => {
    const count = (distance: number) => one(0.05, 0.1, 0.5, distance).measuredAt.length;
    expect(count(1)).toBeGreaterThan(count(0.3));
    expect(count(-Infinity)).toBe(count(0.3));
  });

  test("that is too small for any leaves the first and the last measurement", () => {
    expect(one(0.05, 0.001, 1, 1).measuredAt).toEqual([0, 1000]);
  });

  test("is shared: equal time for each probe, so fewer measurements of a costly one; what a cheap one leaves, the rest get", () => {
    // 100 seconds of steps: 11.1 for the probes. The cheap one is asked at every candidate but those of the first 0.1 s.
    const costs = { cheap: 0.001, middle: 0.1, costly: 1 };
    const { measuredAt, probes, share } = simulate({ budget: 0.1 }, 0.1, costs, 1);
    const count = (name: string) => measuredAt[name]!.length;
    expect(count("cheap")).toBeGreaterThan(count("middle"));
    expect(count("middle")).toBeGreaterThan(5 * count("costly"));
    expect(count("costly")).toBeGreaterThan(2);
    // They differ by less than one measurement of each, and the rest of the budget is too small for another.
    expect(Math.abs(probes["middle"]!.total - probes["costly"]!.total)).toBeLessThanOrEqual(1.1 + 1e-9);
    expect(share).toBeLessThanOrEqual(0.1);
    expect(share).toBeGreaterThan(0.085);
    for (const steps of Object.values(measuredAt)) expect([steps[0], steps.at(-1)]).toEqual([0, 1000]);
  });

  test("of 5 % is the default, above 16 measurements that are made in any case", () => {
    const fixed = probeSteps(1000);
    const slow = simulate({}, 1, { only: 0.5 }, 1);
    expect(slow.share).toBeLessThanOrEqual(defaultBudget);
    expect(slow.measuredAt["only"]!.length).toBeGreaterThan(60);
    expect(slow.measuredAt["only"]).toEqual(expect.arrayContaining(fixed));
    expect(simulate({}, 0.001, { only: 0.5 }, 1).measuredAt["only"]).toEqual(fixed);
    expect(cadence(1000).budget).toBe(0.05);
  });

  test("must be a share", () => {
    expect(() => cadence(10, { budget: 1 })).toThrow("expected a budget above 0 and below 1, got 1");
  });
});
