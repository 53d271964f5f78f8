import { createRandom } from "@sedge/linalg";
import { criticalLearningRate, linearSystem, noiseKernel } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { initialState, type ControlPlan, type ControlState } from "./controller.js";
import { decide } from "./decide.js";

/** A linear model: K is known exactly, and so is the η at which it meets its target. */
const system = linearSystem({ jacobian: createRandom("control").normals(16 * 24), examples: 16 });
const population = 16;
const target = 0.5;
const optimum = criticalLearningRate(system, { batchSize: 2, population, target }).value;

const plan = (kind: ControlPlan["kind"], learningRate: number): ControlPlan => ({
  ...{ kind, targetNoiseKernel: target, deterministicCap: 0.9, rise: 1.5, learningRate, batchSize: 2 },
  ...{ minimumLearningRate: optimum / 1e4, maximumLearningRate: kind === "warmup" ? learningRate : 1e4 * optimum },
  ...{ maximumBatchSize: 16, batchMultiple: 1, oldest: 2 },
});

/** Measures and decides, a number of times. `disturb` is what the spectrum is multiplied by at each step. */
function closedLoop(own: ControlPlan, decisions: number, disturb: (step: number) => number = () => 1) {
  let state: ControlState = initialState(own);
  const kernels: number[] = [];
  const rates: number[] = [];
  for (let step = 0; step < decisions; step++) {
    const scale = disturb(step);
    const { learningRate, batchSize } = state;
    const kernel = noiseKernel(system, { learningRate: scale * learningRate, batchSize, population }); // K depends on ηλ
    const reading = {
      ...{ step, learningRate, batchSize, noiseKernel: kernel.exact, noiseKernelError: 0, loss: 1 },
      deterministic: kernel.deterministicRatio,
    };
    kernels.push(kernel.exact);
    rates.push(learningRate);
    state = decide(own, state, { step, shape: 1, reading }).state;
  }
  return { kernels, rates, state };
}

/** Target ± the 10 % within which a controller rests. */
const expectOnTarget = (kernels: readonly number[]) => {
  for (const k of kernels) expect(Math.abs(k / target - 1)).toBeLessThanOrEqual(0.1);
};

describe("noise-kernel on a linear model", () => {
  test.each([0.01, 0.1, 0.5, 1, 2, 10, 100])("from %f times the optimum K comes to its target and stays", (factor) => {
    const { kernels, rates } = closedLoop(plan("noise-kernel", factor * optimum), 40);
    expectOnTarget(kernels.slice(25));
    // No oscillation: once on target η rests, and from below K never overshoots it.
    expect(new Set(rates.slice(25)).size).toBe(1);
    if (factor < 1) expect(Math.max(...kernels)).toBeLessThanOrEqual(target * (1 + 1e-9));
    // From above: down in a few steps, at most one turn on the way.
    const turns = rates.slice(2).filter((rate, i) => (rate - rates[i + 1]!) * (rates[i + 1]! - rates[i]!) < 0).length;
    expect(turns).toBeLessThanOrEqual(1);
  });

  test("recovers from a jump of the curvature, up and down", () => {
    const jump = (step: number) => (step < 30 ? 1 : step < 60 ? 5 : 0.3);
    const { kernels } = closedLoop(plan("noise-kernel", optimum), 100, jump);
    expectOnTarget(kernels.slice(20, 30));
    expect(kernels[30]).toBeGreaterThan(1); // past an edge at the jump
    expect(kernels[32]).toBeLessThan(1); // inside again two decisions later
    expectOnTarget(kernels.slice(45, 60));
    expectOnTarget(kernels.slice(90));
  });
});

test("noise-kernel-batch holds K at its target at a fixed η", () => {
  const { kernels, state, rates } = closedLoop(plan("noise-kernel-batch", 2.5 * optimum), 20);
  expect(kernels.at(-1)).toBeLessThanOrEqual(1.1 * target);
  expect(new Set(rates).size).toBe(1);
  expect(state.batchSize).toBeGreaterThan(2);
  expect(state.batchSize).toBeLessThan(16);
});

test("warmup never takes K above its target on the way to a large η", () => {
  const { kernels, state } = closedLoop(plan("warmup", 0.6 * optimum), 40);
  expect(Math.max(...kernels)).toBeLessThanOrEqual(target * (1 + 1e-9));
  expect(state).toMatchObject({ arrived: true, learningRate: 0.6 * optimum });
});

test("sharpness comes to σ of the deterministic edge at once, whatever K", () => {
  const { rates } = closedLoop(plan("sharpness", 0.5 * optimum), 12);
  expect((rates.at(-1)! * system.lambdaMax) / 2).toBeCloseTo(0.9, 6);
});
