import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controlKinds } from "../config/control-config.js";
import { decisionSteps, initialState, type ControlPlan, type ControlReading, type ControlState } from "./controller.js";
import { longestRest } from "./cost.js";
import { decide, hasBlownUp, mayRest, mostRewinds, rewind } from "./decide.js";
import { replay } from "./replay.js";

const plan = (rest: Partial<ControlPlan> = {}): ControlPlan => ({
  ...{ kind: "noise-kernel", targetNoiseKernel: 0.5, deterministicCap: 0.9, rise: 1.5 },
  ...{ learningRate: 0.1, batchSize: 4, minimumLearningRate: 1e-4, maximumLearningRate: 100 },
  ...{ maximumBatchSize: 64, batchMultiple: 1, oldest: 20 },
  ...rest,
});
const reading = (rest: Partial<ControlReading> = {}): ControlReading => ({
  ...{
    step: 10,
    learningRate: 0.1,
    batchSize: 4,
    noiseKernel: 0.5,
    noiseKernelError: 0.02,
    deterministic: 0.1,
    loss: 1,
  },
  ...rest,
});
const at = (rest: Partial<ControlReading> = {}, shape = 1) => ({ step: 10, shape, reading: reading(rest) });

describe("noise-kernel", () => {
  const start = initialState(plan());
  test("on target it holds", () => {
    const { state, action } = decide(plan(), start, at({ noiseKernel: 0.52 }));
    expect(action.action).toBe("hold");
    expect(state.learningRate).toBe(0.1);
  });
  test("above its target it comes down in proportion", () => {
    const { state, action } = decide(plan(), start, at({ noiseKernel: 1 }));
    expect(action).toMatchObject({ action: "lower", error: 1, before: { learningRate: 0.1 } });
    expect(state.learningRate).toBeCloseTo(0.05, 12);
  });
  test("below it rises no more than a factor at a time", () => {
    expect(decide(plan(), start, at({ noiseKernel: 0.05 })).state.learningRate).toBeCloseTo(0.15, 12);
    // ρ/(1 − r + ρr) with ρ = 1.25, r = 0.1.
    const { learningRate } = decide(plan(), start, at({ noiseKernel: 0.4 })).state;
    expect(learningRate).toBeCloseTo((0.1 * 1.25) / (0.9 + 0.125), 12);
  });
  test("past the deterministic edge it goes where K can be read, at once", () => {
    const { state } = decide(plan(), start, at({ noiseKernel: Infinity, deterministic: 19 }));
    expect(state.learningRate).toBeCloseTo((0.1 * 0.45) / 19, 12);
  });
  test("the deterministic edge is a cap where noise is not what limits", () => {
    const { state } = decide(plan(), start, at({ noiseKernel: 0.01, deterministic: 0.8 }));
    expect(state.learningRate).toBeCloseTo((0.1 * 0.9) / 0.8, 12);
    expect(decide(plan(), start, at({ noiseKernel: 0.01, deterministic: 0.89 })).action.action).toBe("hold");
  });
  test("a schedule shapes the target: at half its height half of K is on target", () => {
    const { state, action } = decide(plan(), start, at({ learningRate: 0.05, noiseKernel: 0.25 }, 0.5));
    expect(action).toMatchObject({ action: "hold", targetNoiseKernel: 0.25, after: { learningRate: 0.05 } });
    expect(state.learningRate).toBe(0.1);
  });
  test("a late reading counts from the η at which it was made; one too old does not count", () => {
    const { state } = decide(plan(), { ...start, learningRate: 0.2 }, at({ step: 0, noiseKernel: 1 }));
    expect(state.learningRate).toBeCloseTo(0.05, 12); // half of the 0.1 it was measured at, not of 0.2
    const late = { step: 40, shape: 1, reading: reading({ noiseKernel: 1 }) };
    expect(decide(plan(), start, late).state).toMatchObject({ learningRate: 0.1, missed: 1 });
  });
});

test("noise-kernel-batch: B grows to hold K, never shrinks; at its largest η gives way", () => {
  const batch = plan({ kind: "noise-kernel-batch" });
  const start = initialState(batch);
  expect(decide(batch, start, at({ noiseKernel: 0.7 })).state).toMatchObject({ batchSize: 6, learningRate: 0.1 });
  expect(decide(batch, start, at({ noiseKernel: 0.05 })).state).toMatchObject({ batchSize: 4, learningRate: 0.1 });
  const full = decide(batch, { ...start, batchSize: 64 }, at({ batchSize: 64, noiseKernel: 1 })).state;
  expect(full).toMatchObject({ batchSize: 64, learningRate: 0.05 });
  const parts = plan({ kind: "noise-kernel-batch", batchMultiple: 4 });
  expect(decide(parts, start, at({ noiseKernel: 0.7 })).state.batchSize).toBe(8);
});

test("warmup: starts low, rises as K allows, and stops for good at the config's η", () => {
  const warmup = plan({ kind: "warmup", maximumLearningRate: 0.1 });
  let state = initialState(warmup);
  expect(state.learningRate).toBeCloseTo(0.001, 12);
  for (let step = 0; !state.arrived; step++) {
    expect(step).toBeLessThan(20);
    const now = { step, learningRate: state.learningRate, noiseKernel: state.learningRate, deterministic: 0.01 };
    state = decide(warmup, state, { step, shape: 1, reading: reading(now) }).state;
  }
  expect(state.learningRate).toBe(0.1);
  expect(decide(warmup, state, at({ noiseKernel: 3 })).state.learningRate).toBe(0.1);
});

test("sharpness: η = σ·2/λ_max", () => {
  const { state } = decide(
    plan({ kind: "sharpness" }),
    initialState(plan()),
    at({ deterministic: 1.8, noiseKernel: NaN }),
  );
  expect(state.learningRate).toBeCloseTo(0.05, 12);
});

test("without measurements it holds, and then falls back to the config's η if it is above", () => {
  let state: ControlState = { ...initialState(plan()), learningRate: 0.4 };
  const seen: string[] = [];
  for (let step = 0; step < 6; step++) {
    const decided = decide(plan(), state, { step, shape: 1, reading: null });
    seen.push(decided.action.action);
    state = decided.state;
  }
  expect(seen).toEqual(["hold", "hold", "hold", "fall-back", "hold", "hold"]);
  expect(state.learningRate).toBe(0.1);
  // Measurements come back: so does control.
  expect(decide(plan(), state, at({ noiseKernel: 1 })).state).toMatchObject({ missed: 0, learningRate: 0.05 });
});

test("weights are taken back with half the η, and not for ever", () => {
  let state = initialState(plan());
  let times = 0;
  for (; times < 100; times++) {
    const decided = rewind(plan({ minimumLearningRate: 1e-9 }), state, { step: 7, shape: 1, reading: null }, 4);
    if (decided === null) break;
    expect(decided.state.learningRate).toBe(state.learningRate / 2);
    expect(decided.action).toMatchObject({ action: "rewind", rewoundTo: 4 });
    state = decided.state;
  }
  expect(times).toBe(mostRewinds);
  expect(hasBlownUp({ ...state, firstLoss: 2 }, 21)).toBe(true);
  expect(hasBlownUp({ ...state, firstLoss: 2 }, 19)).toBe(false);
  expect(hasBlownUp({ ...state, firstLoss: NaN }, 1e9)).toBe(false);
});

describe("rests", () => {
  const waiting = { rested: 0, longest: 8, isRegular: true, loss: 1 };
  const settled = (decisions: number) => {
    let state = initialState(plan());
    for (let i = 0; i < decisions; i++) state = decide(plan(), state, at()).state;
    return state;
  };
  /** How many decisions are sat out in a row. */
  const length = (state: ControlState, rest: Partial<typeof waiting> = {}) => {
    let rested = 0;
    while (mayRest(state, { ...waiting, ...rest, rested })) rested++;
    return rested;
  };
  test("longer the longer the run has been settled, up to the longest", () => {
    expect([1, 2, 3, 4, 9].map((decisions) => length(settled(decisions)))).toEqual([2, 3, 7, 8, 8]);
    expect(length(settled(9), { longest: 0 })).toBe(0);
  });
  test("an unsettled run a quarter of it, and at its start not at all", () => {
    const moved = decide(plan(), settled(9), at({ noiseKernel: 1 })).state;
    expect([length(moved), length(moved, { isRegular: false })]).toEqual([2, 0]);
    expect(length(decide(plan(), settled(9), { step: 10, shape: 1, reading: null }).state, { isRegular: false })).toBe(
      0,
    );
  });
  test("never where the loss has risen", () => {
    expect(length(settled(9), { loss: 1.3 })).toBe(0);
  });
  test("the longest keeps settled measuring within its share: cost 40 steps of every 50, a tenth of the time", () => {
    // One decision in n measured costs 40/(50n) of the steps' work, so n = 8 and seven are sat out.
    expect(longestRest(40, 50, 0.1)).toBe(7);
    expect(longestRest(1, 50, 0.1)).toBe(0);
    expect(longestRest(1e6, 50, 0.1)).toBe(15);
  });
});

test("decides at 0, at powers of two, then regularly, never at the end", () => {
  expect(decisionSteps({ every: 10 }, 30)).toEqual([0, 1, 2, 4, 8, 10, 20]);
  expect(decisionSteps({}, 1)).toEqual([0]);
});

const anything = fc.oneof(
  fc.double({ min: 0, max: 3, noNaN: true }),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -1, 1e-320, 1e308),
);
const anyReading = fc.option(
  fc.record({
    ...{ step: fc.integer({ min: -5, max: 60 }), learningRate: anything, batchSize: anything },
    ...{ noiseKernel: anything, noiseKernelError: anything, deterministic: anything, loss: anything },
  }),
);

test("η and B keep within their bounds, and every decision replays, whatever is measured", () => {
  const anyPlan = fc.record({
    kind: fc.constantFrom(...controlKinds.filter((kind) => kind !== "none")),
    batchMultiple: fc.constantFrom(1, 4),
    rise: fc.double({ min: 1.01, max: 10, noNaN: true }),
  });
  fc.assert(
    fc.property(anyPlan, fc.array(fc.tuple(anyReading, anything), { maxLength: 40 }), (rest, readings) => {
      const own = plan(rest);
      let state = initialState(own);
      readings.forEach(([given, shape], step) => {
        const before = state;
        const { state: after, action } = decide(own, before, {
          step,
          shape: Math.min(Math.max(shape || 0, 0), 1),
          reading: given,
        });
        expect(after.learningRate).toBeGreaterThanOrEqual(own.minimumLearningRate);
        expect(after.learningRate).toBeLessThanOrEqual(own.maximumLearningRate);
        expect(after.learningRate).toBeLessThanOrEqual(before.learningRate * own.rise * (1 + 1e-12));
        expect(after.batchSize % own.batchMultiple).toBe(0);
        expect(after.batchSize).toBeGreaterThanOrEqual(before.batchSize);
        expect(after.batchSize).toBeLessThanOrEqual(own.maximumBatchSize);
        expect(action.reason).not.toMatch(/undefined|NaN/);
        expect(replay(own, action)).toEqual(action);
        state = after;
      });
    }),
    { numRuns: 400 },
  );
});
