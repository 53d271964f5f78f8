import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { criticalBatchSize, criticalLearningRate } from "./critical.js";
import { anyProblem, expectRelative, gaussianJacobian, referenceCases } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { necessaryConditions } from "./necessary-conditions.js";
import { noiseKernel } from "./noise-kernel.js";
import { phaseDiagram } from "./phase-diagram.js";

describe("criticalLearningRate", () => {
  test.each(referenceCases)("matches the stored reference: $title", (problem) => {
    const system = linearSystem(problem);
    for (const [norm, expected] of [
      ["exact", problem.criticalLearningRateExact],
      ["diagonal", problem.criticalLearningRateDiagonal],
    ] as const) {
      const { value, edge } = criticalLearningRate(system, { ...problem, norm });
      if (expected === null) {
        // Full batch: there is no noise, and the deterministic edge comes first.
        expect(edge).toBe("deterministic");
        expectRelative(value, 2 / problem.lambdaMax, 1e-12);
      } else {
        expect(edge).toBe("stochastic");
        expectRelative(value, expected, 1e-8);
      }
    }
  });

  test.each(["exact", "diagonal", "highDim", "trace"] as const)("meets the target: %s", (norm) => {
    fc.assert(
      fc.property(anyProblem, fc.constantFrom(0.3, 1, 1.7), ({ system, settings }, target) => {
        const { value, edge } = criticalLearningRate(system, { ...settings, target, norm });
        const at = (learningRate: number) => noiseKernel(system, { ...settings, learningRate })[norm];
        if (edge === "stochastic") expectRelative(at(value), target, 1e-6);
        else {
          expect(at(value * (1 - 1e-8))).toBeLessThanOrEqual(target * (1 + 1e-6));
          expect(at(value * (1 + 1e-8))).toBe(Infinity);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a kernel of zeros has no edge", () => {
    const system = linearSystem({ jacobian: [0, 0], examples: 2 });
    expect(criticalLearningRate(system, { batchSize: 1 })).toEqual({ value: Infinity, edge: "none" });
    expect(necessaryConditions(system, { batchSize: 1 }).bound).toBe(Infinity);
  });
});

describe("criticalBatchSize", () => {
  const system = linearSystem({ jacobian: gaussianJacobian("batch", 12, 1, 20), examples: 12 });

  test.each(["bernoulli", "without-replacement", "with-replacement"] as const)(
    "undoes criticalLearningRate: %s",
    (sampling) => {
      for (const norm of ["exact", "diagonal", "highDim", "trace"] as const) {
        for (const batchSize of [2, 5]) {
          const settings = { batchSize, sampling, norm, momentum: 0.3, weightDecay: 0.01 };
          const { value: learningRate, edge } = criticalLearningRate(system, settings);
          expect(edge).toBe("stochastic");
          // K(η) and K(B) are both smooth and steep: an error of 1e-10 in η moves B by a small multiple.
          expectRelative(criticalBatchSize(system, { ...settings, learningRate }).value, batchSize, 1e-7);
        }
      }
    },
  );

  test("with replacement it may exceed N, without it may not", () => {
    const learningRate = 1.8 / system.lambdaMax;
    expect(criticalBatchSize(system, { learningRate, sampling: "with-replacement" }).value).toBeGreaterThan(12);
    expect(criticalBatchSize(system, { learningRate, sampling: "without-replacement" }).value).toBeLessThanOrEqual(12);
  });

  test("is 1 where even a batch of one is stable, and Infinity past the deterministic edge", () => {
    const gentle = { learningRate: 1e-3 / system.lambdaMax };
    expect(criticalBatchSize(system, gentle)).toEqual({ value: 1, edge: "none" });
    expect(criticalBatchSize(system, { learningRate: 2.1 / system.lambdaMax })).toEqual({
      value: Infinity,
      edge: "deterministic",
    });
    expect(criticalBatchSize(system, { ...gentle, norm: "deterministic" })).toEqual({ value: 1, edge: "none" });
  });

  test("refuses a target or norm out of range", () => {
    expect(() => criticalBatchSize(system, { learningRate: 1, target: 0 })).toThrow(
      "criticalBatchSize: target: expected a finite number above 0, got 0.",
    );
    expect(() => criticalLearningRate(system, { batchSize: 1, norm: "other" as "exact" })).toThrow(
      'criticalLearningRate: norm: expected one of "exact", "diagonal", "highDim", "trace", "deterministic", got "other".',
    );
  });
});

describe("necessaryConditions", () => {
  test("no bound is below the critical learning rate of plain SGD", () => {
    fc.assert(
      fc.property(anyProblem, ({ system, settings: { batchSize, sampling } }) => {
        const { value } = criticalLearningRate(system, { batchSize, sampling });
        for (const bound of Object.values(necessaryConditions(system, { batchSize, sampling })))
          expect(bound).toBeGreaterThanOrEqual(value * (1 - 1e-9));
      }),
      { numRuns: 60 },
    );
  });
  // With one example vvᵀ and I are the eigenvector: 2/(λ(κ + c)), and λ = 25.
  test("all of them are exact for a single example", () => {
    const system = linearSystem({ jacobian: [3, 4], examples: 1 });
    const { leadingMode, anyMode, frobenius } = necessaryConditions(system, {
      batchSize: 1,
      sampling: "with-replacement",
    });
    for (const bound of [leadingMode, anyMode, frobenius]) expectRelative(bound, 2 / 25, 1e-14);
  });
});

describe("phaseDiagram", () => {
  test("agrees with the verdict of noiseKernel at every point", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("phases", 8, 2, 30), examples: 8, outputs: 2 });
    const learningRates = Array.from({ length: 14 }, (_, k) => (0.05 * 1.4 ** k) / system.lambdaMax);
    const batchSizes = [1, 2, 4, 8];
    const diagram = phaseDiagram(system, { learningRates, batchSizes }, { momentum: 0.2 });
    const seen = new Set<string>();
    batchSizes.forEach((batchSize, b) =>
      learningRates.forEach((learningRate, k) => {
        const { exact, deterministicRatio } = noiseKernel(system, { learningRate, batchSize, momentum: 0.2 });
        const expected =
          deterministicRatio >= 1 ? "beyond-deterministic-edge" : exact < 1 ? "stable" : "beyond-stochastic-edge";
        expect(diagram.phases[b]![k]).toBe(expected);
        seen.add(expected);
      }),
    );
    expect(seen.size).toBe(3);
    expectRelative(diagram.deterministicEdge, 2.4 / system.lambdaMax, 1e-14);
    expect(diagram.criticalLearningRates[3]).toBe(diagram.deterministicEdge); // B = N
  });
  test("refuses empty axes and learning rates out of range", () => {
    const system = linearSystem({ jacobian: [1], examples: 1 });
    expect(() => phaseDiagram(system, { learningRates: [], batchSizes: [1] })).toThrow(
      "learningRates: expected at least one",
    );
    expect(() => phaseDiagram(system, { learningRates: [1, -1], batchSizes: [1] })).toThrow(
      "phaseDiagram: learningRates[1]: expected a finite number above 0, got -1.",
    );
  });
});
