import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { adamAsHeavyBall } from "./adam.js";
import { criticalLearningRate } from "./critical.js";
import { expectRelative, gaussianJacobian } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { noiseKernel } from "./noise-kernel.js";
import { simulateLinearSgd } from "./simulation/linear-sgd.js";
import { batches } from "./simulation/batches.js";

describe("adamAsHeavyBall", () => {
  // Adam with a fixed D, step by step on the parameters, against the simulator of the preconditioned system: 100 steps of rounding.
  test("is what Adam with a fixed preconditioner does", () => {
    const [examples, params] = [6, 5];
    const jacobian = gaussianJacobian("adam", examples, 1, params);
    const scale = Float64Array.of(0.3, 1, 2, 0.7, 5); // D
    const preconditioned = jacobian.map((x, at) => x / Math.sqrt(scale[at % params]!));
    const system = linearSystem({ jacobian: preconditioned, examples });
    const theta = createRandom("adam theta").normals(params);
    const residual = () =>
      Float64Array.from({ length: examples }, (_, i) =>
        theta.reduce((sum, x, p) => sum + x * jacobian[i * params + p]!, 0),
      );
    const adam = { learningRate: 0.05, beta1: 0.8 };
    const settings = { ...adamAsHeavyBall(adam), batchSize: 2 };
    const { residuals } = simulateLinearSgd(system, residual(), settings, { steps: 100, seed: 1 });

    const { draw } = batches("without-replacement", examples, 2, createRandom(1).fork(0).fork("batches"));
    const mean = new Float64Array(params);
    for (let step = 0; step < 100; step++) {
      const z = residual();
      const batch = draw(1).examples;
      for (let p = 0; p < params; p++) {
        let gradient = 0;
        for (const i of batch) gradient += (z[i]! * jacobian[i * params + p]!) / 2;
        mean[p] = adam.beta1 * mean[p]! + (1 - adam.beta1) * gradient;
      }
      for (let p = 0; p < params; p++) theta[p]! -= (adam.learningRate * mean[p]!) / scale[p]!;
    }
    residual().forEach((z, i) => expect(Math.abs(z - residuals[i]!)).toBeLessThan(1e-12));
  });

  test("has its deterministic edge at λ_max = (2 + 2β₁)/((1 − β₁)α)", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("adam edge", 5, 1, 9), examples: 5 });
    for (const beta1 of [0, 0.9]) {
      const learningRate = (2 + 2 * beta1) / ((1 - beta1) * system.lambdaMax);
      const settings = { ...adamAsHeavyBall({ learningRate, beta1 }), batchSize: 5 };
      expectRelative(noiseKernel(system, settings).deterministicRatio, 1, 1e-14);
      const { value } = criticalLearningRate(system, { ...settings, norm: "deterministic" });
      expectRelative(value / (1 - beta1), learningRate, 1e-14);
    }
    expect(adamAsHeavyBall({ learningRate: 1 }).momentum).toBe(0.9);
  });

  test.each([
    [{ learningRate: 0 }, "adamAsHeavyBall: learningRate: expected a finite number above 0, got 0."],
    [{ learningRate: 1, beta1: 1 }, "adamAsHeavyBall: beta1: expected a number in [0, 1), got 1."],
  ])("refuses %o", (settings, message) => {
    expect(() => adamAsHeavyBall(settings)).toThrow(RangeError);
    expect(() => adamAsHeavyBall(settings)).toThrow(message);
  });
});
