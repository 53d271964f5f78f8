import { createRandom } from "@sedge/linalg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diagonalNoiseKernel } from "./diagonal-noise-kernel.js";
import { exactNoiseKernel } from "./exact-noise-kernel.js";
import { anyProblem, expectRelative, gaussianJacobian, referenceCases } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { highDimNoiseKernel, noiseKernel, traceNoiseKernel } from "./noise-kernel.js";
import { samplingCoefficients } from "./sampling.js";
import type { SgdSettings } from "./settings.js";

describe("noiseKernel", () => {
  // Independent float64 code in another language. Both sides solve to 1e-10 or better.
  test.each(referenceCases)("matches the stored reference: $title", (problem) => {
    const system = linearSystem(problem);
    const kernel = noiseKernel(system, problem);
    expectRelative(kernel.lambdaMax, problem.lambdaMax, 1e-12);
    expectRelative(system.trace, problem.trace, 1e-12);
    system.spectrum.forEach((lambda, k) => {
      expect(Math.abs(lambda - problem.spectrum[k]!)).toBeLessThan(1e-13 * problem.lambdaMax);
    });
    expectRelative(kernel.exact, problem.kExact, 1e-8);
    expectRelative(kernel.diagonal, problem.kDiagonal, 1e-8);
    expectRelative(kernel.highDim, problem.kHighDim, 1e-10);
    expectRelative(kernel.trace, problem.kTrace, 1e-12);
    expect(kernel.stable).toBe(problem.kExact < 1);
  });

  test("highDim ≤ diagonal ≤ exact, and the kernel of the Jacobian gives what the Jacobian gives", () => {
    fc.assert(
      fc.property(anyProblem, ({ system, jacobian, params, settings }) => {
        const { exact, diagonal, highDim } = noiseKernel(system, settings);
        // Each is a Rayleigh quotient of one map on a larger space; 1e-9 is what the eigenvalues are solved to.
        expect(highDim).toBeLessThanOrEqual(diagonal * (1 + 1e-9));
        expect(diagonal).toBeLessThanOrEqual(exact * (1 + 1e-9));
        const { examples, outputs, size } = system;
        const ntk = new Float64Array(size * size);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            for (let k = 0; k < params; k++)
              ntk[i * size + j]! += jacobian[i * params + k]! * jacobian[j * params + k]!;
            ntk[i * size + j]! /= examples;
          }
        }
        expectRelative(noiseKernel(linearSystem({ ntk, examples, outputs }), settings).exact, exact, 1e-8);
      }),
      { numRuns: 60 },
    );
  });

  test("the full batch makes no noise", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("full", 6, 2, 20), examples: 6, outputs: 2 });
    for (const sampling of ["without-replacement", "bernoulli", "epoch-shuffle"] as const) {
      const kernel = noiseKernel(system, { learningRate: 0.1 / system.lambdaMax, batchSize: 6, sampling });
      expect(kernel).toMatchObject({ exact: 0, diagonal: 0, highDim: 0, binding: "deterministic", stable: true });
    }
  });

  // One example with one output: z' = (1 − pk)z with k draws, E = 1 − 2p + p²(κ + c), which is 1 where K is 1.
  test("a single example gives the closed form cηλ/(2 − ηλ − (κ−1)ηλ)", () => {
    const system = linearSystem({ jacobian: [3, 4], examples: 1 });
    const settings = { learningRate: 0.02, batchSize: 1, sampling: "with-replacement" } as const;
    const p = 0.02 * 25;
    const { kappa, c } = samplingCoefficients("with-replacement", 1, 1);
    const expected = (c * p) / (2 - p - (kappa - 1) * p);
    const { exact, diagonal, highDim } = noiseKernel(system, settings);
    for (const value of [exact, diagonal, highDim]) expectRelative(value, expected, 1e-13);
    expect(noiseKernel(system, { ...settings, sampling: "without-replacement" }).exact).toBe(0);
  });

  // Θ = λI: modes do not mix, and every form but the trace is cηλ/(2−ηλ).
  test("a kernel with one repeated eigenvalue gives the closed form whatever basis the solver picks", () => {
    const size = 12;
    const ntk = new Float64Array(size * size);
    for (let i = 0; i < size; i++) ntk[i * size + i] = 5;
    const system = linearSystem({ ntk, examples: 4, outputs: 3 });
    const { exact, highDim } = noiseKernel(system, { learningRate: 0.1, batchSize: 1, sampling: "bernoulli" });
    expectRelative(exact, (3 * 0.5) / 1.5, 1e-12);
    expectRelative(highDim, (3 * 0.5) / 1.5, 1e-12);
  });

  // Residuals without any dependence on θ add an example that never moves: K sees only the others, at the same c.
  test("null modes weigh nothing", () => {
    const settings = { learningRate: 0.02, batchSize: 2, sampling: "bernoulli" } as const;
    const examples = 8;
    const jacobian = gaussianJacobian("null", examples, 1, 3);
    jacobian.fill(0, 3 * 4);
    const system = linearSystem({ jacobian, examples });
    expect(system.rank).toBe(3);
    const half = linearSystem({ jacobian: jacobian.subarray(0, 12).map((x) => x * Math.SQRT1_2), examples: 4 });
    const kernel = noiseKernel(system, settings);
    // c = 8/2 − 1 = 3 above; with B = 1 of 4 it is 3 as well.
    const alone = noiseKernel(half, { ...settings, batchSize: 1 });
    expectRelative(kernel.exact, alone.exact, 1e-9);
    expectRelative(kernel.diagonal, alone.diagonal, 1e-9);
    expect(noiseKernel(linearSystem({ jacobian: new Float64Array(12), examples: 4 }), settings)).toMatchObject({
      exact: 0,
      diagonal: 0,
      highDim: 0,
      trace: 0,
      lambdaMax: 0,
      stable: true,
    });
  });

  test("past the deterministic edge every form is Infinity and that edge binds", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("edge", 5, 2, 30), examples: 5, outputs: 2 });
    for (const [momentum, nesterov] of [
      [0, false],
      [0.9, false],
      [0.9, true],
    ] as const) {
      const edge = (2 * (1 + momentum)) / (nesterov ? 1 + 2 * momentum : 1) / system.lambdaMax;
      // The edge itself is met only to rounding: `edge` and η·λ_max round twice each, and B = 1 keeps K finite just inside.
      for (const factor of [1 + 4 * Number.EPSILON, 1.5]) {
        const settings = { learningRate: edge * factor, batchSize: 1, momentum, nesterov };
        const kernel = noiseKernel(system, settings, { perron: true });
        expect(kernel).toMatchObject({ exact: Infinity, diagonal: Infinity, highDim: Infinity, trace: Infinity });
        expect(kernel).toMatchObject({ binding: "deterministic", stable: false });
        expect(kernel.perron).toHaveLength(20);
        expect(exactNoiseKernel(system, settings).value).toBe(Infinity);
        expect(diagonalNoiseKernel(system, settings)).toBe(Infinity);
        expect(highDimNoiseKernel(system.spectrum, 5, settings)).toBe(Infinity);
      }
      const inside = noiseKernel(system, { learningRate: edge * (1 - 1e-9), batchSize: 1, momentum, nesterov });
      expect(Number.isFinite(inside.exact)).toBe(true);
      expect(inside.exact).toBeGreaterThan(0);
    }
  });

  test("a probe of all examples is the system, and c scales with the share of examples probed", () => {
    const system = linearSystem({ jacobian: gaussianJacobian("probe", 8, 1, 30), examples: 8 });
    const settings: SgdSettings = { learningRate: 0.1 / system.lambdaMax, batchSize: 3 };
    expect(noiseKernel(system, { ...settings, population: 8 })).toEqual(noiseKernel(system, settings));
    // With κ = 1, K is proportional to c: 100 of 1000 with B = 30 has c = (8/1000)(1000/30 − 1).
    const bernoulli = { ...settings, sampling: "bernoulli" } as const;
    const probe = noiseKernel(system, { ...bernoulli, batchSize: 30, population: 1000 });
    const whole = noiseKernel(system, bernoulli);
    expectRelative(probe.exact / whole.exact, (0.008 * (1000 / 30 - 1)) / (8 / 3 - 1), 1e-9);
  });

  test("returns a Perron eigenvector of positive semidefinite blocks whose weights sum to one", () => {
    const examples = 6;
    const outputs = 2;
    const jacobian = gaussianJacobian("perron", examples, outputs, 40);
    for (let i = 0; i < 80; i++) jacobian[i]! *= 3; // the first example dominates
    const system = linearSystem({ jacobian, examples, outputs });
    const settings = { learningRate: 0.4 / system.lambdaMax, batchSize: 1 };
    const { perron, exampleWeights, exact } = noiseKernel(system, settings, { perron: true });
    expectRelative(
      exampleWeights!.reduce((sum, x) => sum + x, 0),
      1,
      1e-12,
    );
    expect(exampleWeights!.indexOf(Math.max(...exampleWeights!))).toBe(0);
    for (let i = 0; i < examples; i++) {
      const [a, b, c, d] = perron!.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
      expect(Math.abs(b - c)).toBeLessThan(1e-12);
      expect(a).toBeGreaterThanOrEqual(0);
      expect(a * d - b * c).toBeGreaterThanOrEqual(-1e-12);
    }
    const warm = exactNoiseKernel(system, settings, { start: perron! });
    const cold = exactNoiseKernel(system, settings);
    expectRelative(warm.value, exact, 1e-9);
    expect(warm.iterations).toBeLessThan(cold.iterations);
  });

  // Two halves that share no parameter: the map splits, and K is the larger half's.
  test("a kernel that falls apart has the K of its worse part, even from a start that is zero there", () => {
    const rng = createRandom("parts");
    const part = { examples: 4, params: 6 };
    const jacobian = new Float64Array(8 * 12);
    for (let i = 0; i < 4; i++) for (let k = 0; k < 6; k++) jacobian[i * 12 + k] = rng.normal();
    for (let i = 4; i < 8; i++) for (let k = 6; k < 12; k++) jacobian[i * 12 + k] = 2 * rng.normal();
    const settings = { learningRate: 0.02, batchSize: 1, sampling: "bernoulli" } as const;
    const system = linearSystem({ jacobian, examples: 8 });
    const rows = new Float64Array(4 * 6);
    for (let i = 0; i < 4; i++)
      for (let k = 0; k < 6; k++) rows[i * 6 + k] = jacobian[(i + 4) * 12 + 6 + k]! * Math.SQRT1_2;
    const worse = linearSystem({ jacobian: rows, examples: part.examples });
    // The part alone: Θ is the same block, and c = 8/1 − 1 comes from a population of 8 with c scaled by 4/8, undone here.
    const alone = 2 * noiseKernel(worse, { ...settings, population: 8 }).exact;
    expectRelative(noiseKernel(system, settings).exact, alone, 1e-9);
    const start = [1, 1, 1, 1, 0, 0, 0, 0];
    expectRelative(exactNoiseKernel(system, settings, { start }).value, alone, 1e-9);
  });
});

describe("highDimNoiseKernel and traceNoiseKernel", () => {
  test.each(referenceCases)("match the stored reference: $title", (problem) => {
    expectRelative(highDimNoiseKernel(problem.spectrum, problem.examples, problem), problem.kHighDim, 1e-10);
    expectRelative(traceNoiseKernel(problem.trace, problem.outputs, problem), problem.kTrace, 1e-12);
  });
  test("a flat spectrum with momentum gives the closed form", () => {
    // c = 3; (cη/1) λ(1+m)/[(1−m)(2(1+m)−ηλ)] with ηλ = 0.5, m = 0.5: 3·0.5·1.5/(0.5·2.5) = 1.8. A dozen flops.
    const settings = { learningRate: 0.1, batchSize: 1, momentum: 0.5, sampling: "bernoulli" } as const;
    expectRelative(highDimNoiseKernel([5, 5, 5, 5], 4, settings), 1.8, 1e-14);
  });
});

describe("bad input", () => {
  const system = linearSystem({ jacobian: gaussianJacobian("bad", 4, 1, 6), examples: 4 });
  const good = { learningRate: 0.01, batchSize: 2 };
  test.each([
    [{ learningRate: 0 }, "noiseKernel: learningRate: expected a finite number above 0, got 0."],
    [{ learningRate: -0.1 }, "noiseKernel: learningRate: expected a finite number above 0, got -0.1."],
    [{ learningRate: Infinity }, "noiseKernel: learningRate: expected a finite number above 0, got Infinity."],
    [{ learningRate: NaN }, "noiseKernel: learningRate: expected a finite number above 0, got NaN."],
    [{ batchSize: 5 }, "noiseKernel: batchSize: expected an integer from 1 to 4, got 5."],
    [{ batchSize: 1.5 }, "noiseKernel: batchSize: expected an integer from 1 to 4, got 1.5."],
    [{ batchSize: 0 }, "noiseKernel: batchSize: expected an integer from 1 to 4, got 0."],
    [{ momentum: -0.1 }, "noiseKernel: momentum: expected a number in [0, 1), got -0.1."],
    [{ momentum: 1 }, "noiseKernel: momentum: expected a number in [0, 1), got 1."],
    [{ weightDecay: -1 }, "noiseKernel: weightDecay: expected a finite number of at least 0, got -1."],
    [{ population: 3 }, "noiseKernel: population: expected an integer of at least 4, got 3."],
  ])("%o is a RangeError that says what is allowed", (change, message) => {
    expect(() => noiseKernel(system, { ...good, ...change })).toThrow(RangeError);
    expect(() => noiseKernel(system, { ...good, ...change })).toThrow(message);
  });
  test("values of the wrong type are TypeErrors", () => {
    const wrong = { ...good, sampling: 3 } as unknown as SgdSettings;
    expect(() => noiseKernel(system, wrong)).toThrow(TypeError);
    expect(() => noiseKernel(system, { ...good, nesterov: 1 as unknown as boolean })).toThrow(
      "noiseKernel: nesterov: expected true or false, got 1.",
    );
    expect(() => noiseKernel({} as typeof system, good)).toThrow(
      "noiseKernel: system: expected the result of linearSystem",
    );
    expect(() => noiseKernel(system, null as unknown as SgdSettings)).toThrow("settings: expected an object, got null");
  });
  test("a start of the wrong size or of zeros is refused", () => {
    expect(() => noiseKernel(system, good, { start: [1] })).toThrow(
      "start: expected examples × outputs × outputs = 4 × 1 × 1 = 4 numbers, got 1.",
    );
    expect(() => exactNoiseKernel(system, good, { start: [0, 0, 0, 0] })).toThrow("other than zero");
  });
});
