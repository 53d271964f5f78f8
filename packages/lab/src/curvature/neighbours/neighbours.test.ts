import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { takeExamples } from "../../data/dataset.js";
import { BadInput } from "../../errors.js";
import { mlpCases } from "../../fixtures/networks.js";
import { flattenParams, unflattenParams } from "../../models/model.js";
import { objective } from "../../objectives/objective.js";
import { openHessian } from "../curvature-operator.js";
import { openBatchSharpness } from "./batch-sharpness.js";
import { openGradient } from "./gradient.js";
import { openGradientNoiseScale } from "./gradient-noise-scale.js";
import { openOneStep } from "./one-step.js";
import { cosine, distance, inner, length } from "./vectors.js";

// Truth: networks.json, float64 (JAX). Ours is float32 throughout but for sums: 1e-6 is what to expect, 1e-5 has room.
const single = 1e-5;

describe.each(mlpCases())("mlp, $title", ({ model, loss, params, split, reference }) => {
  const graph = objective(model, loss);

  test("the gradient, in one block or several", async () => {
    for (const blockExamples of [1024, 5]) {
      const estimator = await openGradient(graph, model.params, { blockExamples });
      const { loss: value, gradient } = await estimator.measure(params, split);
      await estimator.dispose();
      expect(distance(gradient, reference.gradient)).toBeLessThan(single * length(reference.gradient));
      expectRelative(value, reference.lossValue, single);
    }
  });

  test("batch sharpness of the one minibatch there is", async () => {
    const { examples, value } = reference.batchSharpness;
    const estimator = await openBatchSharpness(graph, model.params);
    const few = takeExamples(
      split,
      Array.from({ length: examples }, (_, i) => i),
    );
    const options = { batchSize: examples, sampling: "without-replacement", random: createRandom(1) } as const;
    const measured = await estimator.measure(params, few, options);
    await estimator.dispose();
    expectRelative(measured.value, value, 5 * single); // a quotient of two products, g and H g
    expect(measured.converged).toBe(true);
  });

  test("batch sharpness of random minibatches: the interval holds the mean over all pairs in nine trials of ten", async () => {
    const estimator = await openBatchSharpness(graph, model.params);
    let exact = 0;
    const all = { sampling: "without-replacement", batchSize: 2, maxBatches: 2 } as const;
    let pairs = 0;
    for (let i = 0; i < split.examples; i++) {
      for (let j = 0; j < split.examples; j++) {
        const pair = takeExamples(split, [i, j]);
        exact += (await estimator.measure(params, pair, { ...all, random: createRandom(0) })).value;
        pairs++;
      }
    }
    exact /= pairs;
    let held = 0;
    const trials = 50;
    for (let seed = 0; seed < trials; seed++) {
      const options = { batchSize: 2, random: createRandom(seed), relativeError: 0.05 };
      const { low, high } = await estimator.measure(params, split, options);
      if (low <= exact && exact <= high) held++;
    }
    await estimator.dispose();
    expect(held / trials).toBeGreaterThanOrEqual(0.9);
  });

  test("gradient noise scale: both parts inside their intervals in nine trials of ten", async () => {
    const estimator = await openGradientNoiseScale(graph, model.params);
    const square = inner(reference.gradient, reference.gradient);
    const trace = reference.gradientCovarianceTrace;
    const held = { gradientSquared: 0, covarianceTrace: 0, noiseScale: 0 };
    const trials = 50;
    for (let seed = 0; seed < trials; seed++) {
      const found = await estimator.measure(params, split, { random: createRandom(seed), parts: 64, repetitions: 16 });
      const truth = { gradientSquared: square, covarianceTrace: trace, noiseScale: trace / square };
      for (const key of Object.keys(held) as (keyof typeof held)[]) {
        if (found[key].low <= truth[key] && truth[key] <= found[key].high) held[key]++;
      }
    }
    await estimator.dispose();
    for (const count of Object.values(held)) expect(count / trials).toBeGreaterThanOrEqual(0.9);
  });

  test("one step: as predicted to second order, the rest shrinking as the cube of the step", async () => {
    const [gradients, hessian, estimator] = await Promise.all([
      openGradient(graph, model.params),
      openHessian(graph, model.params),
      openOneStep(graph, model.params),
    ]);
    const { gradient } = await gradients.measure(params, split);
    const at = await hessian.at(params, split);
    const rest = [];
    for (const learningRate of [0.02, 0.01]) {
      const change = await estimator.measure({ params, split, learningRate, gradient, hessian: at });
      expect(change.measured).toBeLessThan(0);
      expectRelative(change.predicted, change.measured, 0.05);
      rest.push(Math.abs(change.measured - change.predicted));
    }
    await Promise.all([gradients.dispose(), hessian.dispose(), estimator.dispose()]);
    // Third order: 2³ = 8. The fourth adds a few per cent; the gradient's float32 error, 1e-7 η‖g‖², is far below.
    expect(rest[0]! / rest[1]!).toBeGreaterThan(6);
    expect(rest[0]! / rest[1]!).toBeLessThan(10);
  });

  test("options out of range are refused by name", async () => {
    const sharp = await openBatchSharpness(graph, model.params);
    const noise = await openGradientNoiseScale(graph, model.params);
    const random = createRandom(1);
    await expect(sharp.measure(params, split, { random, batchSize: 13 })).rejects.toThrow(
      "batchSharpness: batchSize: expected a whole number from 1 to 12, got 13.",
    );
    await expect(sharp.measure(params, split, { random, batchSize: 2, relativeError: 0 })).rejects.toThrow(BadInput);
    await expect(noise.measure(params, split, { random, parts: 1 })).rejects.toThrow(
      "gradientNoiseScale: parts: expected a whole number from 2 to Infinity, got 1.",
    );
    await Promise.all([sharp.dispose(), noise.dispose()]);
  });
});

test("cosine and distance", () => {
  expect(cosine([1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2, 15);
  expect(cosine([0, 0], [1, 1])).toBeNaN();
  expect(distance([1, 2], [4, 6])).toBe(5);
  expect(() => distance([1], [1, 2])).toThrow("expected vectors of one size, got 1 and 2");
  const [{ model, params }] = mlpCases() as [ReturnType<typeof mlpCases>[number]];
  const flat = flattenParams(model.params, params);
  expect(distance(flat, flattenParams(model.params, unflattenParams(model.params, flat)))).toBe(0);
});

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}
