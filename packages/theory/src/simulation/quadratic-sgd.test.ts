import { createRandom, eigvalsh } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { expectRelative } from "../fixtures/support.js";
import { linearSystem } from "../linear-system.js";
import { batches } from "./batches.js";
import { simulateLinearSgd } from "./linear-sgd.js";
import { leftSingularVectors, randomQuadraticModel, type QuadraticModel } from "./quadratic-model.js";
import { simulateQuadraticModel } from "./quadratic-sgd.js";

const model = randomQuadraticModel({ examples: 8, params: 11, curvature: 0.05, seed: "quadratic" });

/** λ_max of J Jᵀ/D by a full eigendecomposition. */
function largest(jacobian: Float64Array, { examples, params }: QuadraticModel): number {
  const gram = new Float64Array(examples * examples);
  for (let i = 0; i < examples; i++) {
    for (let j = 0; j < examples; j++) {
      for (let p = 0; p < params; p++) gram[i * examples + j]! += jacobian[i * params + p]! * jacobian[j * params + p]!;
    }
  }
  return eigvalsh(gram, examples)[examples - 1]! / examples;
}

describe("simulateQuadraticModel", () => {
  // The recursion of theory in (z, J), which shares no code with the simulator's parameters: 60 steps of rounding.
  test("follows z' = z − εJu + (ε²/2)Q(u,u), J' = J − εQ(u,·)", () => {
    const { examples, params, curvature } = model;
    const settings = { learningRate: 1.5, batchSize: 3 };
    const run = simulateQuadraticModel(model, settings, { steps: 60, seed: "walk", seeds: 3 });
    for (const seed of run.seeds) {
      const { draw } = batches("without-replacement", examples, 3, createRandom("walk").fork(seed).fork("batches"));
      const z = model.residual.slice();
      const jacobian = model.jacobian.slice();
      for (let step = 0; ; step++) {
        const at = seed * 61 + step;
        expectRelative(run.losses[at]!, z.reduce((sum, x) => sum + x * x, 0) / (2 * examples), 1e-10);
        expectRelative(run.lambdaMax[at]!, largest(jacobian, model), 1e-7);
        if (step === 60) break;
        const u = new Float64Array(params);
        for (const i of draw(1).examples) for (let p = 0; p < params; p++) u[p]! += jacobian[i * params + p]! * z[i]!;
        for (let i = 0; i < examples; i++) {
          for (let p = 0; p < params; p++) {
            let row = 0;
            for (let r = 0; r < params; r++) row += curvature[(i * params + p) * params + r]! * u[r]!;
            z[i]! += -0.5 * jacobian[i * params + p]! * u[p]! + 0.5 * 0.25 * row * u[p]!;
            jacobian[i * params + p]! -= 0.5 * row;
          }
        }
      }
    }
  });

  test("without curvature it is linear SGD, with the same batches", () => {
    const flat = { ...model, curvature: new Float64Array(model.curvature.length) };
    const settings = { learningRate: 2, batchSize: 2, sampling: "with-replacement" } as const;
    const quadratic = simulateQuadraticModel(flat, settings, { steps: 50, seed: 7, seeds: 2 });
    const system = linearSystem({ jacobian: flat.jacobian, examples: 8 });
    const linear = simulateLinearSgd(system, flat.residual, settings, { steps: 50, seed: 7, seeds: 2 });
    quadratic.losses.forEach((loss, k) => expectRelative(loss, linear.losses[k]!, 1e-9));
    quadratic.lambdaMax.forEach((lambda) => expectRelative(lambda, system.lambdaMax, 1e-7));
  });

  test("a seed is the same alone, in company, and with a model made for it", () => {
    const settings = { learningRate: 1, batchSize: 2 };
    const options = { steps: 30, seed: "alone", recordAt: [10, 30] };
    const whole = simulateQuadraticModel(model, settings, { ...options, seeds: 4 });
    const alone = simulateQuadraticModel(() => model, settings, { ...options, firstSeed: 2, trackLambdaMax: false });
    expect(alone.losses).toEqual(whole.losses.slice(4, 6));
    expect([...alone.lambdaMax]).toEqual([NaN, NaN]);
  });

  test("a run that diverges is recorded as Infinity from then on", () => {
    const run = simulateQuadraticModel(model, { learningRate: 500, batchSize: 8 }, { steps: 40, seed: 0 });
    expect(run.losses[0]).toBeGreaterThan(0);
    expect(run.losses[40]).toBe(Infinity);
    expect(run.lambdaMax[40]).toBe(Infinity);
    expect(run.losses.some(Number.isNaN)).toBe(false);
  });

  test("refuses a model of other sizes", () => {
    const broken = { ...model, residual: new Float64Array(3) };
    expect(() => simulateQuadraticModel(broken, { learningRate: 1, batchSize: 1 }, { steps: 1, seed: 0 })).toThrow(
      "simulateQuadraticModel: model.residual: expected examples = 8 numbers, got 3.",
    );
    expect(() => simulateQuadraticModel(model, { learningRate: 1, batchSize: 9 }, { steps: 1, seed: 0 })).toThrow(
      "simulateQuadraticModel: batchSize: expected an integer from 1 to 8, got 9.",
    );
  });
});

describe("randomQuadraticModel", () => {
  // In the basis of J's left singular vectors the off-diagonal entries of Q_γ have variance V(σ_γ) and the diagonal ones 2V. P = 40
  // gives 780 and 40 samples: relative errors of √(2/780) = 5 % and 22 %, four of which are allowed.
  test("weights the curvature of each singular direction as asked", () => {
    const singularValues = [0.25, 1, 4];
    const sample = randomQuadraticModel({
      ...{ examples: 3, params: 40, curvature: 0.1, weighting: "scaled", singularValues, seed: "weights" },
    });
    const { values, vectors } = leftSingularVectors(sample.jacobian, 3, 40);
    values.forEach((sigma, gamma) => expectRelative(sigma, singularValues[gamma]!, 1e-12));
    for (let gamma = 0; gamma < 3; gamma++) {
      let [off, diagonal] = [0, 0];
      for (let p = 0; p < 40; p++) {
        for (let q = 0; q <= p; q++) {
          let entry = 0;
          for (let i = 0; i < 3; i++) entry += vectors[i * 3 + gamma]! * sample.curvature[(i * 40 + p) * 40 + q]!;
          if (p === q) diagonal += entry * entry;
          else off += entry * entry;
        }
      }
      const variance = 0.01 * singularValues[gamma]!;
      expectRelative(off / 780, variance, 4 * Math.sqrt(2 / 780));
      expectRelative(diagonal / 40, 2 * variance, 4 * Math.sqrt(2 / 40));
    }
  });

  test("Q is symmetric in its last two indices, and the same seed gives the same model", () => {
    for (let i = 0; i < 8; i++) {
      for (let p = 0; p < 11; p++) {
        for (let q = 0; q < p; q++)
          expect(model.curvature[(i * 11 + p) * 11 + q]).toBe(model.curvature[(i * 11 + q) * 11 + p]);
      }
    }
    expect(randomQuadraticModel({ examples: 8, params: 11, curvature: 0.05, seed: "quadratic" })).toEqual(model);
  });

  test("refuses two Jacobians, and more singular values than parameters", () => {
    const base = { examples: 2, params: 1, curvature: 1, seed: 0 };
    expect(() => randomQuadraticModel({ ...base, singularValues: [1, 2] })).toThrow(
      "randomQuadraticModel: params: expected at least examples = 2, got 1.",
    );
    expect(() => randomQuadraticModel({ ...base, jacobian: [1, 1], singularValues: [1, 2] })).toThrow("got both");
  });
});
