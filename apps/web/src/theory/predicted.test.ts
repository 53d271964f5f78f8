import { linearSystem, simulateLinearSgd } from "@sedge/theory";
import { expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { Series } from "../data/series.js";
import { predictedLoss } from "./predicted.js";

const [examples, params] = [60, 40];
/** Features of very different size. */
const jacobian = Float64Array.from(
  { length: examples * params },
  (_, i) => Math.sin(7 * i + 3 * Math.cos(i)) / (1 + (i % params)),
);
const system = linearSystem({ jacobian, examples });
const residual = Float64Array.from({ length: examples }, (_, i) => Math.cos(5 * i));
const loss = residual.reduce((sum, z) => sum + z * z, 0) / (2 * examples);
const squares = Array.from(system.eigenvalues, (_, mu) => {
  let sum = 0;
  for (let i = 0; i < examples; i++) sum += system.modes[i * system.rank + mu]! * residual[i]!;
  return sum * sum;
});
const zeros = new Array<number>(examples - system.rank).fill(0);
const data = {
  matrix: "ntk",
  ...{ examples, outputs: 1, eigenvalues: [...zeros, ...system.eigenvalues], edge: NaN, loss },
  residuals: [...zeros, ...squares],
};
const settings = { learningRate: 0.5 / system.lambdaMax, batchSize: 6, sampling: "with-replacement" } as const;
const run = {
  id: "a",
  step: 200,
  steps: 200,
  config: { ...settings, loss: "squared", data: { examples } },
} as unknown as RunSummary;
const measured = new Series();
// On a training set twice as bad as the probe.
measured.set(0, 1000, 2 * loss);
measured.set(200, 3000, 0.1);
const record = { step: 0, time: 1000, kind: "spectrum/ntk", data };

/**
 * The model is linear, so its linearisation is itself, and theory's curve is that of its mean loss. The Volterra form is that of
 * the high-dimensional limit: at 60 examples it is off by some per cent of the loss; 400 seeds leave a standard error of about 1 %.
 */
test("of a linear model it is the mean loss of many runs, scaled to the measured loss", () => {
  const { series, step } = predictedLoss(run, [record], measured, Infinity)!;
  expect(step).toBe(0);
  const simulated = simulateLinearSgd(system, residual, settings, { steps: 200, seeds: 400, seed: 1 });
  const mean = simulated.mean;
  for (const at of [0, 20, 100, 200]) {
    expect(series.steps[at]).toBe(at);
    expect(Math.abs(series.values[at]! / (2 * mean[at]!) - 1)).toBeLessThan(0.1);
  }
  expect(series.times[100]).toBe(2000);
});

test("there is none for another loss, a moving learning rate, or a probe without its residual", () => {
  const of = (config: object, records = [record]) =>
    predictedLoss({ ...run, config: { ...run.config, ...config } }, records, measured, Infinity);
  expect(of({})).not.toBeNull();
  expect(of({ loss: "cross-entropy" })).toBeNull();
  expect(of({ control: { kind: "noise-kernel" } })).toBeNull();
  expect(of({ schedule: { kind: "cosine" } })).toBeNull();
  expect(of({ optimizer: { kind: "adam" } })).toBeNull();
  expect(of({}, [{ ...record, data: { ...data, residuals: [] } }])).toBeNull();
  expect(predictedLoss(run, [record], undefined, Infinity)).toBeNull();
});
