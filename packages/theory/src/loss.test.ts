import { describe, expect, test } from "vitest";
import { diagonalLoss, volterraKernel, volterraLoss } from "./approximate-loss.js";
import { criticalLearningRate } from "./critical.js";
import { expectedLoss } from "./expected-loss.js";
import { bruteForceLoss, stepMatrices } from "./fixtures/brute-force.js";
import { expectRelative, gaussianJacobian, referenceCases } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { highDimNoiseKernel, noiseKernel } from "./noise-kernel.js";
import { resolveDynamics } from "./settings.js";

describe("expectedLoss", () => {
  test.each(referenceCases)("matches the stored reference: $title", (problem) => {
    const losses = expectedLoss(linearSystem(problem), problem.residual, problem, problem.expectedLoss.length - 1);
    problem.expectedLoss.forEach((expected, t) => expectRelative(losses[t]!, expected, 1e-10));
  });

  test.each([
    { sampling: "bernoulli", N: 4, C: 1, B: 2, P: 2, m: 0, d: 0 },
    { sampling: "without-replacement", N: 4, C: 1, B: 2, P: 2, m: 0.6, d: 0.1 },
    { sampling: "with-replacement", N: 3, C: 2, B: 2, P: 3, m: 0.6, d: 0 },
    { sampling: "with-replacement", N: 3, C: 2, B: 1, P: 9, m: 0, d: 0.2 },
    { sampling: "bernoulli", N: 4, C: 1, B: 2, P: 2, m: 0.6, d: 0, nesterov: true },
    { sampling: "without-replacement", N: 3, C: 2, B: 2, P: 3, m: 0.9, d: 0.1, nesterov: true },
    { sampling: "with-replacement", N: 4, C: 1, B: 1, P: 6, m: 0.5, d: 0, nesterov: true },
  ] as const)(
    "matches enumerated batches: $sampling N=$N C=$C B=$B P=$P m=$m δ=$d nesterov $nesterov",
    ({ sampling, N, C, B, P, m, d, ...rest }) => {
      const jacobian = gaussianJacobian("loss", N, C, P);
      const system = linearSystem({ jacobian, examples: N, outputs: C });
      const nesterov = "nesterov" in rest;
      const base = { learningRate: 0.5 / system.lambdaMax, batchSize: B, sampling };
      const settings = { ...base, momentum: m, weightDecay: d, nesterov };
      const residual = gaussianJacobian("residual", N, C, 1);
      const truth = bruteForceLoss(stepMatrices(jacobian, N, C, settings), residual, N, 40);
      expectedLoss(system, residual, settings, 40).forEach((loss, t) => expectRelative(loss, truth[t]!, 1e-11));
    },
  );

  test("a run past the edge ends in Infinity, not NaN", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("past", 3, 1, 4), examples: 3 });
    const settings = { learningRate: 50 / system.lambdaMax, batchSize: 1 };
    for (const curve of [expectedLoss, diagonalLoss, volterraLoss]) {
      const losses = curve(system, [1, 1, 1], settings, 400);
      expect(losses.some(Number.isNaN)).toBe(false);
      expect(losses[400]).toBe(Infinity);
    }
  });
  test("refuses a residual of another length", () => {
    const system = linearSystem({ jacobian: [1, 2], examples: 2 });
    for (const curve of [expectedLoss, diagonalLoss, volterraLoss]) {
      expect(() => curve(system, [1], { learningRate: 0.1, batchSize: 1 }, 3)).toThrow(
        `${curve.name}: residual: expected examples × outputs = 2 numbers, got 1.`,
      );
      expect(() => curve(system, [1, 1], { learningRate: 0.1, batchSize: 1 }, -1)).toThrow(
        "steps: expected an integer",
      );
    }
  });
});

describe("diagonalLoss", () => {
  // One example: there is nothing off the diagonal to drop.
  test("is exact for a single example", () => {
    const system = linearSystem({ jacobian: [3, 4], examples: 1 });
    for (const [momentum, nesterov] of [
      [0, false],
      [0.5, false],
      [0.5, true],
    ] as const) {
      const settings = { learningRate: 0.02, batchSize: 1, sampling: "with-replacement", momentum, nesterov } as const;
      const exact = expectedLoss(system, [2], settings, 20);
      diagonalLoss(system, [2], settings, 20).forEach((loss, t) => expectRelative(loss, exact[t]!, 1e-12));
    }
  });

  // At K_diagonal = 1 the matrix A + B, or its form for momentum, has spectral radius 1: the curve settles on a constant.
  test.each([
    [0, 0],
    [0.5, 0],
    [0.5, 0.02],
    [0.5, 0.02, true],
  ])(
    "neither grows nor decays at K_diagonal = 1: m = %d, δ = %d, nesterov %s",
    (momentum, weightDecay, nesterov = false) => {
      const examples = 6;
      const system = linearSystem({ jacobian: gaussianJacobian("diagonal", 3, 2, 12), examples: 3, outputs: 2 });
      const settings = { batchSize: 1, momentum, nesterov, weightDecay, sampling: "with-replacement" } as const;
      const { value, edge } = criticalLearningRate(system, { ...settings, norm: "diagonal" });
      expect(edge).toBe("stochastic");
      const losses = diagonalLoss(
        system,
        new Float64Array(examples).fill(1),
        { ...settings, learningRate: value },
        4000,
      );
      expectRelative(losses[4000]!, losses[3000]!, 1e-6);
    },
  );

  test("a residual that no gradient reaches stays", () => {
    const system = linearSystem({ jacobian: [1, 1], examples: 2 });
    const losses = diagonalLoss(system, [1, -1], { learningRate: 0.1, batchSize: 2 }, 50);
    for (const loss of losses) expectRelative(loss, 0.5, 1e-12);
  });
});

describe("volterraLoss", () => {
  test.each(referenceCases)("its kernel sums to K_highDim: $title", (problem) => {
    const system = linearSystem(problem);
    const dynamics = resolveDynamics("test", problem.examples, problem);
    const kernel = volterraKernel(system, dynamics, 20_000).feedback;
    // The slowest mode has decayed by (1 − 0.086·0.08)^40000; what is left is the rounding of the sum.
    expectRelative(
      kernel.reduce((sum, k) => sum + k, 0),
      problem.kHighDim,
      1e-8,
    );
  });

  test("with Nesterov's momentum too its kernel sums to K_highDim", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("look-ahead", 8, 1, 12), examples: 8 });
    const base = { learningRate: 0.4 / system.lambdaMax, batchSize: 2, sampling: "with-replacement" } as const;
    const settings = { ...base, momentum: 0.8, nesterov: true };
    const { feedback } = volterraKernel(system, resolveDynamics("test", 8, settings), 20_000);
    const sum = feedback.reduce((total, k) => total + k, 0);
    expectRelative(sum, highDimNoiseKernel(system.spectrum, 8, settings), 1e-8);
  });

  test.each([{}, { momentum: 0.7, nesterov: true }])(
    "approaches the exact curve as the dimension grows: %o",
    (extra) => {
      const error = (examples: number): number => {
        const jacobian = gaussianJacobian("volterra", examples, 1, Math.round(1.2 * examples));
        const system = linearSystem({ jacobian, examples });
        const base = { batchSize: examples / 20, sampling: "bernoulli", ...extra } as const;
        const { value } = criticalLearningRate(system, { ...base, norm: "highDim", target: 0.5 });
        const settings = { ...base, learningRate: value };
        const residual = gaussianJacobian("volterra z", examples, 1, 1);
        const exact = expectedLoss(system, residual, settings, 60);
        const volterra = volterraLoss(system, residual, settings, 60);
        return Math.max(...exact.map((loss, t) => Math.abs(volterra[t]! / loss - 1)));
      };
      const [small, large] = [error(20), error(320)];
      expect(large).toBeLessThan(0.5 * small);
      expect(large).toBeLessThan(0.1);
    },
  );

  test("with K below 1 and the full batch, the curve is gradient descent's", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("descent", 5, 1, 8), examples: 5 });
    const settings = { learningRate: 1 / system.lambdaMax, batchSize: 5 };
    expect(noiseKernel(system, settings).exact).toBe(0);
    const exact = expectedLoss(system, [1, 2, 3, 4, 5], settings, 30);
    volterraLoss(system, [1, 2, 3, 4, 5], settings, 30).forEach((loss, t) => expectRelative(loss, exact[t]!, 1e-11));
  });
});
