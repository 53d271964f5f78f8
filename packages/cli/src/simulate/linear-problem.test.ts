import { expect, test } from "vitest";
import { linearProblem } from "./linear-problem.js";

const flags = {
  ...{ examples: "6", params: "8", outputs: "1", batchSize: "2", noiseKernel: "0.5", sampling: "without-replacement" },
  ...{ momentum: "0.5", weightDecay: "0", labelNoise: "0", steps: "3", seeds: "1", seed: "1" },
};

// The two kinds of momentum make different noise of the same gradients, so K = 0.5 asks for different learning rates.
test("--nesterov reaches both the simulation and the learning rate chosen for it", () => {
  const [plain, nesterov] = [false, true].map((given) => linearProblem(undefined, { ...flags, nesterov: given }).sgd);
  expect([plain!.nesterov, nesterov!.nesterov]).toEqual([false, true]);
  expect(Math.abs(nesterov!.learningRate / plain!.learningRate - 1)).toBeGreaterThan(1e-3);
});
