import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { criticalLearningRate } from "../critical.js";
import { expectedLoss } from "../expected-loss.js";
import { expectRelative, gaussianJacobian } from "../fixtures/support.js";
import { linearSystem } from "../linear-system.js";
import { samplings } from "../sampling.js";
import { batches } from "./batches.js";
import { simulateLinearSgd, type LinearSgdOptions } from "./linear-sgd.js";

const jacobian = gaussianJacobian("simulate", 8, 2, 20);
const system = linearSystem({ jacobian, examples: 8, outputs: 2 });
const residual = gaussianJacobian("simulate z", 8, 2, 1);

describe("simulateLinearSgd", () => {
  // SGD on the parameters of the same model, written out: θ ← θ + m(θ−θ₋) − η(g + δθ), where z = Jθ + z₀ and, as weight decay pulls
  // towards z = 0, θ is measured from the solution. 200 steps of rounding on numbers of order one.
  // With Nesterov's momentum the gradient and the decay are those at φ = θ + m(θ−θ₋).
  test.each([
    ...samplings.map((sampling) => ({ sampling, nesterov: false })),
    { sampling: "without-replacement", nesterov: true } as const,
  ])(
    "does what SGD on the parameters does, batch by batch: $sampling, nesterov $nesterov",
    ({ sampling, nesterov }) => {
      const [examples, outputs, params] = [6, 2, 12];
      const wide = gaussianJacobian("parameters", examples, outputs, params);
      const square = linearSystem({ jacobian: wide, examples, outputs });
      const theta = createRandom("theta").normals(params);
      const outputOf = (row: number) => {
        let sum = 0;
        for (let p = 0; p < params; p++) sum += wide[row * params + p]! * theta[p]!;
        return sum;
      };
      const start = Float64Array.from({ length: 12 }, (_, row) => outputOf(row));
      const settings = { learningRate: 0.02, batchSize: 4, momentum: 0.5, nesterov, weightDecay: 0.1, sampling };
      const run = simulateLinearSgd(square, start, settings, { steps: 200, seed: "same", firstSeed: 3 });

      const { draw } = batches(sampling, examples, 4, createRandom("same").fork(3).fork("batches"));
      const velocity = new Float64Array(params);
      for (let step = 0; step < 200; step++) {
        if (nesterov) for (let p = 0; p < params; p++) theta[p]! += 0.5 * velocity[p]!;
        const gradient = theta.map((entry) => 0.1 * entry);
        for (const example of draw(1).examples) {
          for (let row = example * outputs; row < (example + 1) * outputs; row++) {
            const z = outputOf(row);
            for (let p = 0; p < params; p++) gradient[p]! += (z * wide[row * params + p]!) / 4;
          }
        }
        for (let p = 0; p < params; p++) {
          const change = -0.02 * gradient[p]! + (nesterov ? 0 : 0.5 * velocity[p]!);
          velocity[p] = change + (nesterov ? 0.5 * velocity[p]! : 0);
          theta[p]! += change;
        }
      }
      run.residuals.forEach((z, row) => expect(Math.abs(z - outputOf(row))).toBeLessThan(1e-12));
    },
  );

  // At K = 0.4 the fourth moments are finite and 4000 seeds give a mean within four standard errors.
  test.each([
    { sampling: "bernoulli", momentum: 0, weightDecay: 0 },
    { sampling: "without-replacement", momentum: 0.5, weightDecay: 0 },
    { sampling: "with-replacement", momentum: 0, weightDecay: 0.5 },
    { sampling: "with-replacement", momentum: 0.7, weightDecay: 0.2, nesterov: true },
  ] as const)(
    "its mean over seeds is the exact expected loss: $sampling m=$momentum δ=$weightDecay nesterov $nesterov",
    (dynamics) => {
      const base = { ...dynamics, batchSize: 2 };
      const { value } = criticalLearningRate(system, { ...base, target: 0.4 });
      const settings = { ...base, learningRate: value };
      const recordAt = [0, 1, 5, 20, 40];
      const { mean, standardError } = simulateLinearSgd(system, residual, settings, {
        ...{ steps: 40, seed: 1, seeds: 4000, recordAt },
      });
      const exact = expectedLoss(system, residual, settings, 40);
      recordAt.forEach((step, k) => {
        expect(Math.abs(mean[k]! - exact[step]!)).toBeLessThan(4 * standardError[k]! + 1e-12 * exact[0]!);
      });
    },
  );

  // z' = (1−p)z − pς ξ: stationary E z² = p²ς²/(1−(1−p)²) = pς²/(2−p).
  test("label noise leaves the loss of the closed form", () => {
    const one = linearSystem({ jacobian: [2], examples: 1 });
    const { mean, standardError } = simulateLinearSgd(
      one,
      [0],
      { learningRate: 0.1, batchSize: 1 },
      { steps: 60, seed: 5, seeds: 4000, recordAt: [60], labelNoise: 0.3 },
    );
    expect(Math.abs(mean[0]! - (0.5 * 0.4 * 0.09) / 1.6)).toBeLessThan(4 * standardError[0]!);
    expect(standardError[0]!).toBeLessThan(0.03 * mean[0]!);
  });

  test("a seed is the same whatever the others are, wherever it is recorded, and twice over", () => {
    const settings = { learningRate: 0.01, batchSize: 3, momentum: 0.2, sampling: "epoch-shuffle" } as const;
    const run = (options: Omit<LinearSgdOptions, "seed">) =>
      simulateLinearSgd(system, residual, settings, { ...options, seed: "slices", labelNoise: 0.1 });
    const whole = run({ steps: 1200, seeds: 4, recordAt: [700, 1200] });
    const slices = [0, 2].map((firstSeed) => run({ steps: 1200, seeds: 2, firstSeed, recordAt: [3, 700, 1200] }));
    whole.seeds.forEach((seed) => {
      const slice = slices[Math.floor(seed / 2)]!;
      for (const k of [0, 1]) expect(whole.losses[seed * 2 + k]).toBe(slice.losses[(seed % 2) * 3 + k + 1]);
    });
    expect(run({ steps: 1200, seeds: 4, recordAt: [700, 1200] })).toEqual(whole);
    // Stored, with a sampled stream that no platform may change. The system's eigenpairs differ by rounding between back ends.
    const stored = [0.12820703890124, 0.13508545899524, 0.13049254379436, 0.12847493939299];
    stored.forEach((loss, seed) => expectRelative(whole.losses[2 * seed]!, loss, 1e-12));
  });

  test("past an edge losses end in Infinity", () => {
    const { losses, mean } = simulateLinearSgd(
      system,
      residual,
      { learningRate: 100 / system.lambdaMax, batchSize: 1 },
      { steps: 2000, seed: 0, seeds: 2, recordAt: [0, 1000, 2000] },
    );
    expect([...losses.subarray(1, 3), ...losses.subarray(4)]).toEqual([Infinity, Infinity, Infinity, Infinity]);
    expect(mean[2]).toBe(Infinity);
  });

  test("reports progress and stops when aborted", () => {
    const settings = { learningRate: 0.01, batchSize: 3 };
    const seen: [number, number][] = [];
    simulateLinearSgd(system, residual, settings, {
      ...{ steps: 1000, seed: 0, seeds: 2, recordAt: [] },
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen.at(-1)).toEqual([2000, 2000]);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    const aborting = new AbortController();
    expect(() =>
      simulateLinearSgd(system, residual, settings, {
        ...{ steps: 1e9, seed: 0, signal: aborting.signal, recordAt: [] },
        onProgress: () => aborting.abort(new Error("enough")),
      }),
    ).toThrow("enough");
  });

  test("a kernel of zeros leaves the residual where it is", () => {
    const still = linearSystem({ jacobian: [0, 0], examples: 2 });
    const { losses } = simulateLinearSgd(still, [1, 1], { learningRate: 1, batchSize: 1 }, { steps: 3, seed: 0 });
    for (const loss of losses) expectRelative(loss, 0.5, 1e-15);
  });

  test.each<[Partial<LinearSgdOptions>, string]>([
    [{ steps: -1 }, "simulateLinearSgd: steps: expected an integer of at least 0, got -1."],
    [{ seeds: 0 }, "simulateLinearSgd: seeds: expected an integer of at least 1, got 0."],
    [{ seed: 0.5 }, "simulateLinearSgd: seed: expected a string or a safe integer, got 0.5."],
    [{ recordAt: [3, 2] }, "simulateLinearSgd: recordAt[1]: expected a step after 3, got 2."],
    [{ recordAt: [11] }, "simulateLinearSgd: recordAt[0]: expected an integer from 0 to 10, got 11."],
    [{ labelNoise: -1 }, "simulateLinearSgd: labelNoise: expected a finite number of at least 0, got -1."],
  ])("refuses %o", (change, message) => {
    const run = () =>
      simulateLinearSgd(system, residual, { learningRate: 1, batchSize: 1 }, { steps: 10, seed: 0, ...change });
    expect(run).toThrow(RangeError);
    expect(run).toThrow(message);
  });
});
