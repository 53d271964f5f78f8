import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diagonalLoss } from "./approximate-loss.js";
import { criticalLearningRate } from "./critical.js";
import { bruteForceRadius, stepMatrices } from "./fixtures/brute-force.js";
import { anyProblem, expectRelative, gaussianJacobian, referenceCases } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { noiseKernel } from "./noise-kernel.js";
import type { Sampling } from "./sampling.js";
import { diagonalSpectralRadius, spectralRadius } from "./spectral-radius.js";

describe("spectralRadius", () => {
  test.each(referenceCases)("matches the stored reference: $title", (problem) => {
    expectRelative(spectralRadius(linearSystem(problem), problem), problem.spectralRadius, 1e-9);
  });

  // Every batch enumerated, the operator's matrix squared forty times: shares nothing with the code but the update rule.
  const cases = (["bernoulli", "without-replacement", "with-replacement"] as Sampling[]).flatMap((sampling) =>
    [
      [3, 1, 2, 4, 0, 0],
      [2, 2, 1, 5, 0.5, 0.02],
      [4, 1, 2, 2, 0, 0.05],
      [3, 1, 1, 6, 0.9, 0],
      [3, 1, 2, 4, 0.6, 0, 1],
      [2, 2, 1, 5, 0.9, 0.02, 1],
    ].map(([N, C, B, P, m, d, ahead]) => ({
      sampling,
      N: N!,
      C: C!,
      B: B!,
      P: P!,
      m: m!,
      d: d!,
      nesterov: ahead === 1,
    })),
  );
  test.each(cases)(
    "matches enumerated batches: $sampling N=$N C=$C B=$B P=$P m=$m δ=$d nesterov $nesterov",
    ({ sampling, N, C, B, P, m, d, nesterov }) => {
      const jacobian = gaussianJacobian(`radius ${sampling} ${N} ${C}`, N, C, P);
      const system = linearSystem({ jacobian, examples: N, outputs: C });
      for (const ratio of [0.2, 0.8, 1.2]) {
        const learningRate = (ratio * 2 * (1 + m)) / (nesterov ? 1 + 2 * m : 1) / system.lambdaMax;
        const settings = { learningRate, batchSize: B, momentum: m, nesterov, weightDecay: d, sampling };
        const truth = bruteForceRadius(stepMatrices(jacobian, N, C, settings));
        // Defective eigenvalues (critical damping, null modes) leave a power of k in front of ρᵏ: log(2⁴⁰)/2⁴⁰ ≈ 3e-11.
        expectRelative(spectralRadius(system, settings), truth, 1e-9);
      }
    },
  );

  test("K_exact < 1 exactly where the radius is below 1, and at the critical learning rate the radius is 1", () => {
    fc.assert(
      fc.property(anyProblem, ({ system, settings }) => {
        const untouched = system.rank < system.size && settings.weightDecay === 0;
        const radius = spectralRadius(system, settings);
        const { exact } = noiseKernel(system, settings);
        if (Math.abs(exact - 1) > 1e-6) {
          if (exact > 1) expect(radius).toBeGreaterThan(1);
          else if (untouched) expect(radius).toBe(1);
          else expect(radius).toBeLessThan(1);
        }
        const critical = criticalLearningRate(system, settings);
        const atCritical = spectralRadius(system, { ...settings, learningRate: critical.value });
        // The learning rate is solved to 1e-10, and ρ moves by at most about 2(1+m)/(1−m) times its relative change.
        expect(Math.abs(atCritical - 1)).toBeLessThan(1e-8);
      }),
      { numRuns: 100 },
    );
  });
});

describe("diagonalSpectralRadius", () => {
  // λ_max(A + B) of the dense matrix, by power iteration on it through diagonalLoss: the ratio of successive losses.
  test.each([
    [0, 0, 0.6],
    [0.5, 0.02, 0.6],
    [0, 0, 1.3],
  ])("is the rate at which diagonalLoss ends up: m = %d, δ = %d, K = %d", (momentum, weightDecay, target) => {
    const system = linearSystem({ jacobian: gaussianJacobian("diagonal radius", 6, 1, 9), examples: 6 });
    const base = { batchSize: 2, momentum, weightDecay, sampling: "with-replacement" } as const;
    const { value: learningRate } = criticalLearningRate(system, { ...base, norm: "diagonal", target });
    const settings = { ...base, learningRate };
    const losses = diagonalLoss(system, [1, 1, 1, 1, 1, 1], settings, 1200);
    const radius = diagonalSpectralRadius(system, settings);
    expectRelative(losses[1200]! / losses[1199]!, radius, 1e-6); // the other modes have decayed by then
    expect(radius).toBeLessThanOrEqual(spectralRadius(system, settings) * (1 + 1e-9));
  });
});
