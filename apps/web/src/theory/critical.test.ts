import { criticalBatchSize, criticalLearningRate, highDimNoiseKernel, linearSystem, noiseKernel } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { criticalBatch, criticalRate, scaledKernel, type Probed } from "./critical.js";

/** A probe of 12 examples of a training set of 600, with features of very different size. */
const features = Float64Array.from({ length: 12 * 20 }, (_, i) => Math.sin(7 * i + 3 * Math.cos(i)) / (1 + (i % 20)));
const system = linearSystem({ jacobian: features, examples: 12 });
const settings = { batchSize: 8, population: 600, momentum: 0.4, sampling: "without-replacement" } as const;
const learningRate = 0.4 / system.lambdaMax;
const eigenvalues = [...new Array<number>(12 - system.rank).fill(0), ...system.eigenvalues].sort((a, b) => a - b);
const probed: Probed = {
  ...settings,
  descent: { momentum: settings.momentum, nesterov: false, weightDecay: 0 },
  spectrum: { eigenvalues, examples: 12 },
  learningRate,
  noiseKernel: highDimNoiseKernel(eigenvalues, 12, { ...settings, learningRate }),
};

describe("from a spectrum whose K is the high-dimensional one, the critical values are those of @sedge/theory", () => {
  const kernel = scaledKernel(probed)!;
  test("η", () => {
    for (const batchSize of [1, 8, 64]) {
      const { value } = criticalLearningRate(system, { ...settings, batchSize, norm: "highDim" });
      expect(criticalRate(kernel, batchSize) / value).toBeCloseTo(1, 5);
    }
  });
  test("B, rounded up to a whole number", () => {
    for (const share of [0.1, 0.5, 0.9]) {
      const rate = (share * 2.8) / system.lambdaMax;
      const { value } = criticalBatchSize(system, { ...settings, learningRate: rate, norm: "highDim" });
      expect(criticalBatch(kernel, rate)).toBe(Math.ceil(value - 1e-6));
    }
    expect(criticalBatch(kernel, 3 / system.lambdaMax)).toBe(Infinity);
  });
});

test("scaled to the exact K of one setting, it is near the exact K of others", () => {
  const exactAt = (rate: number, batchSize: number) =>
    noiseKernel(system, { ...settings, learningRate: rate, batchSize }).exact;
  const kernel = scaledKernel({ ...probed, noiseKernel: exactAt(learningRate, 8) })!;
  for (const [rate, batchSize] of [
    [learningRate / 4, 8],
    [learningRate * 2, 8],
    [learningRate, 2],
    [learningRate, 64],
  ] as const) {
    // The factor is the same to first order in η; these are within a fifth of each other by experiment, not by theorem.
    expect(kernel.at(rate, batchSize) / exactAt(rate, batchSize)).toBeGreaterThan(0.8);
    expect(kernel.at(rate, batchSize) / exactAt(rate, batchSize)).toBeLessThan(1.25);
  }
});

test("a probe that does not say enough gives nothing", () => {
  for (const change of [
    { noiseKernel: Infinity },
    { noiseKernel: NaN },
    { population: 5 },
    { learningRate: NaN },
    { spectrum: { eigenvalues: [0, 0], examples: 2, edge: NaN } },
    { spectrum: { eigenvalues: [0, 1], examples: NaN, edge: NaN } },
  ]) {
    expect(scaledKernel({ ...probed, ...change })).toBeNull();
  }
});
