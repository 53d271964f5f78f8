import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { takeExamples } from "../../data/dataset.js";
import { objective } from "../../objectives/objective.js";
import { curvatureCases } from "../testing.js";
import { openBatchSharpness } from "./batch-sharpness.js";
import { openGradient } from "./gradient.js";
import { openGradientNoiseScale } from "./gradient-noise-scale.js";
import { inner } from "./vectors.js";

const trials = 20;

/** How many of the trials' intervals hold the truth, as a share. */
function share(truth: number, found: readonly { readonly low: number; readonly high: number }[]): number {
  return found.filter(({ low, high }) => low <= truth && truth <= high).length / found.length;
}

// Convolutions; attention with normalisation. Truth: every example's own gradient, every pair of examples as a minibatch.
const cases = curvatureCases().filter((_, k) => k !== 1);
describe.each(cases)(
  "inside the stated 95 % interval in nine trials of ten: $name",
  ({ model, loss, params, split }) => {
    const graph = objective(model, loss);

    test("gradient noise scale", async () => {
      const gradients = await openGradient(graph, model.params);
      let squares = 0;
      for (let i = 0; i < split.examples; i++) {
        const { gradient } = await gradients.measure(params, takeExamples(split, [i]));
        squares += inner(gradient, gradient) / split.examples;
      }
      const { gradient } = await gradients.measure(params, split);
      await gradients.dispose();
      const gradientSquared = inner(gradient, gradient);
      const covarianceTrace = squares - gradientSquared;
      const truth = { gradientSquared, covarianceTrace, noiseScale: covarianceTrace / gradientSquared };
      const estimator = await openGradientNoiseScale(graph, model.params);
      const found = [];
      for (let seed = 0; seed < trials; seed++) {
        found.push(await estimator.measure(params, split, { random: createRandom(seed), parts: 32, repetitions: 12 }));
      }
      await estimator.dispose();
      for (const [key, value] of Object.entries(truth) as [keyof typeof truth, number][]) {
        const intervals = found.map((each) => each[key]);
        expect(share(value, intervals), key).toBeGreaterThanOrEqual(0.9);
      }
    });

    test("batch sharpness", async () => {
      const estimator = await openBatchSharpness(graph, model.params);
      const pair = { sampling: "without-replacement", batchSize: 2, maxBatches: 2, random: createRandom(0) } as const;
      let truth = 0;
      for (let i = 0; i < split.examples; i++) {
        for (let j = 0; j < split.examples; j++) {
          truth += (await estimator.measure(params, takeExamples(split, [i, j]), pair)).value / split.examples ** 2;
        }
      }
      const found = [];
      for (let seed = 0; seed < trials; seed++) {
        found.push(
          await estimator.measure(params, split, { batchSize: 2, random: createRandom(seed), maxBatches: 96 }),
        );
      }
      await estimator.dispose();
      expect(share(truth, found)).toBeGreaterThanOrEqual(0.9);
    });
  },
);
