import { createRandom } from "@sedge/linalg";
import { linearSystem } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { mlpCases } from "../fixtures/networks.js";
import { objective } from "../objectives/objective.js";
import { openEvaluator } from "./evaluation.js";
import { openHessian } from "./curvature-operator.js";
import { estimateNoiseKernel } from "./noise-kernel.js";
import { openNtk } from "./ntk/ntk.js";
import { sharpness } from "./sharpness.js";

// Truth: networks.json, float64. Ours is float32 with parameters and inputs rounded to it: relative 6e-8 each, through
// three layers and sums of some ten terms. An error of 1e-6 is what to expect; 1e-5 still fails on any wrong term.
const single = 1e-5;

describe.each(mlpCases())("mlp, $title", ({ model, loss, params, split, reference }) => {
  const graph = objective(model, loss);

  test("loss", async () => {
    const evaluator = await openEvaluator(graph);
    const { loss: value } = await evaluator.evaluate(params, split);
    await evaluator.dispose();
    expectRelative(value, reference.lossValue, single);
  });

  test("λ_max of the Hessian, in one block or several, with an honest residual", async () => {
    for (const blockExamples of [1024, 5]) {
      const hessian = await openHessian(graph, model.params, { blockExamples });
      const top = await sharpness(hessian, params, split, { random: createRandom(1), tolerance: 1e-6 });
      await hessian.dispose();
      expect(top.converged).toBe(true);
      expectRelative(top.value, reference.hessianTop[0]!, single);
      expect(top.ritzResidual).toBeLessThanOrEqual(1e-6 * top.value);
    }
  });

  test("a warm start on the second eigenvector does not stay there", async () => {
    const hessian = await openHessian(graph, model.params);
    const deflate = await sharpness(hessian, params, split, { random: createRandom(1), tolerance: 1e-6 });
    const second = await secondEigenvector(hessian.size, deflate.vector, (v) => hessian.product(params, split, v));
    const top = await sharpness(hessian, params, split, { random: createRandom(2), start: second, tolerance: 1e-4 });
    await hessian.dispose();
    expectRelative(top.value, reference.hessianTop[0]!, single);
  });

  test("top eigenvalues and trace of the NTK", async () => {
    const estimator = await openNtk(model);
    const { matrix, examples, outputs } = await estimator.measure(params, split.inputs);
    await estimator.dispose();
    const system = linearSystem({ ntk: matrix, examples, outputs });
    expectRelative(system.trace, reference.ntkTrace, single);
    reference.ntkTop.forEach((value, k) => expectRelative(system.spectrum.at(-1 - k)!, value, single));
  });

  test("K in four forms, for a probe of the whole training set", async () => {
    const { batchSize, learningRate, kExact, kDiagonal, kHighDim, kTrace } = reference.noiseKernel;
    const estimator = await openNtk(model);
    const ntk = await estimator.measure(params, split.inputs);
    await estimator.dispose();
    const settings = { learningRate, tolerance: 1e-8 };
    const sgd = { examples: split.examples, batchSize };
    const distinct = estimateNoiseKernel(ntk, loss, { ...sgd, sampling: "without-replacement" }, settings);
    expectRelative(distinct.exact.value, kExact, single);
    expectRelative(distinct.trace.value, kTrace, single);
    // The reference's other two are for Bernoulli sampling, which no run uses: κ = 1 and c = N/B − 1.
    const bernoulli = estimateNoiseKernel(ntk, loss, { ...sgd, sampling: "bernoulli" }, settings);
    expectRelative(bernoulli.diagonal.value, kDiagonal, single);
    expectRelative(bernoulli.highDim.value, kHighDim, single);
  });
});

/** By power iteration on H + 10 with the first eigenvector projected out: slow, plain, and independent of Lanczos. */
async function secondEigenvector(
  size: number,
  first: Float64Array,
  product: (vector: Float64Array) => Promise<Float64Array>,
): Promise<Float64Array> {
  let vector = createRandom(3).normals(size);
  for (let i = 0; i < 200; i++) {
    const image = (await product(vector)).map((x, k) => x + 10 * vector[k]!);
    const along = image.reduce((sum, x, k) => sum + x * first[k]!, 0);
    const rest = image.map((x, k) => x - along * first[k]!);
    const norm = Math.sqrt(rest.reduce((sum, x) => sum + x * x, 0));
    vector = rest.map((x) => x / norm);
  }
  return vector;
}

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}
