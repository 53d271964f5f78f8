import { createRandom, eigvalsh } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { batches } from "./batches.js";
import { randomQuadraticModel, type Weighting } from "./quadratic-model.js";
import { expectedSharpening } from "./sharpening.js";
import type { Sampling } from "../sampling.js";

/** Eigenvalues of J Jᵀ/D, ascending. */
function spectrum(jacobian: Float64Array, examples: number, params: number): Float64Array {
  const gram = new Float64Array(examples * examples);
  for (let i = 0; i < examples; i++) {
    for (let j = 0; j < examples; j++) {
      for (let p = 0; p < params; p++) gram[i * examples + j]! += jacobian[i * params + p]! * jacobian[j * params + p]!;
      gram[i * examples + j]! /= examples;
    }
  }
  return eigvalsh(gram, examples);
}

/** The recursion of (z, J), word for word: z' = z − εJu + (ε²/2)Q(u,u), J' = J − εQ(u,·), with Q multiplied by `sign`. */
function step(
  z: Float64Array,
  jacobian: Float64Array,
  q: Float64Array,
  sign: number,
  batch: Int32Array,
  epsilon: number,
) {
  const examples = z.length;
  const params = jacobian.length / examples;
  const u = new Float64Array(params);
  for (const i of batch) for (let p = 0; p < params; p++) u[p]! += jacobian[i * params + p]! * z[i]!;
  const nextZ = z.slice();
  const nextJ = jacobian.slice();
  for (let i = 0; i < examples; i++) {
    let quadratic = 0;
    for (let p = 0; p < params; p++) {
      let row = 0;
      for (let r = 0; r < params; r++) row += sign * q[(i * params + p) * params + r]! * u[r]!;
      nextJ[i * params + p]! -= epsilon * row;
      nextZ[i]! -= epsilon * jacobian[i * params + p]! * u[p]!;
      quadratic += row * u[p]!;
    }
    nextZ[i]! += 0.5 * epsilon * epsilon * quadratic;
  }
  return [nextZ, nextJ] as const;
}

describe("expectedSharpening", () => {
  // Monte Carlo over Q and batches, each Q with its negative, which cancels every odd order. What is left out is of fourth
  // order, a relative 1e-4 at this curvature; the means must agree within four of their own standard errors.
  test.each<[Sampling, number, Weighting]>([
    ["without-replacement", 1, "flat"],
    ["without-replacement", 4, "flat"],
    ["with-replacement", 2, "scaled"],
    ["bernoulli", 2, (sigma) => 1 + sigma * sigma],
  ])("matches antithetic Monte Carlo: %s, B = %i", (sampling, batchSize, weighting) => {
    const [examples, params, curvature] = [4, 6, 2e-3];
    const jacobian = createRandom("sharpening J").normals(examples * params);
    const residual = createRandom("sharpening z").normals(examples);
    const settings = { learningRate: 0.3, batchSize, sampling };
    const truth = expectedSharpening({ examples, params, jacobian, residual, curvature, weighting }, settings);
    const before = spectrum(jacobian, examples, params);
    before.forEach((lambda, mu) => expect(Math.abs(lambda - truth.eigenvalues[mu]!)).toBeLessThan(1e-13));

    const samples = 6000;
    const sums = [0, 1].map(() => [new Float64Array(examples), new Float64Array(examples)] as const);
    const { draw } = batches(sampling, examples, batchSize, createRandom("sharpening batches"));
    for (let sample = 0; sample < samples; sample++) {
      const seed = `sharpening Q ${sample}`;
      const { curvature: q } = randomQuadraticModel({
        examples,
        params,
        curvature,
        weighting,
        jacobian,
        residual,
        seed,
      });
      const [batch0, batch1] = [draw(1).examples, draw(1).examples];
      const first = new Float64Array(examples);
      const second = new Float64Array(examples);
      for (const sign of [1, -1]) {
        const [z1, j1] = step(residual, jacobian, q, sign, batch0, settings.learningRate / batchSize);
        const [, j2] = step(z1, j1, q, sign, batch1, settings.learningRate / batchSize);
        const [one, two] = [spectrum(j1, examples, params), spectrum(j2, examples, params)];
        for (let mu = 0; mu < examples; mu++) {
          first[mu]! += 0.5 * (one[mu]! - before[mu]!);
          second[mu]! += 0.5 * (two[mu]! - 2 * one[mu]! + before[mu]!);
        }
      }
      for (const [k, values] of [first, second].entries()) {
        values.forEach((value, mu) => {
          sums[k]![0][mu]! += value;
          sums[k]![1][mu]! += value * value;
        });
      }
    }
    for (const [k, expected] of [truth.first, truth.second].entries()) {
      expected.forEach((value, mu) => {
        const mean = sums[k]![0][mu]! / samples;
        const error = Math.sqrt((sums[k]![1][mu]! / samples - mean * mean) / samples);
        expect(Math.abs(mean - value)).toBeLessThan(4 * error + 1e-3 * Math.abs(value));
      });
    }
  });

  test("a smaller batch sharpens more in the first step and less in the second", () => {
    const [examples, params] = [30, 40];
    const jacobian = createRandom("batch J")
      .normals(examples * params)
      .map((x) => x / Math.sqrt(params));
    const residual = createRandom("batch z").normals(examples);
    const top = [1, 5, 30].map((batchSize) => {
      const input = { examples, params, jacobian, residual, curvature: 1e-3 };
      const { first, second } = expectedSharpening(input, { learningRate: 2, batchSize });
      return { first: first[examples - 1]!, second: second[examples - 1]! };
    });
    expect(top[0]!.first).toBeGreaterThan(top[1]!.first);
    expect(top[1]!.first).toBeGreaterThan(top[2]!.first);
    expect(top[0]!.second).toBeLessThan(top[1]!.second);
    expect(top[1]!.second).toBeLessThan(top[2]!.second);
  });

  test("repeated eigenvalues give NaN, wrong sizes an error", () => {
    const input = { examples: 2, params: 2, jacobian: [1, 0, 0, 1], residual: [1, 1], curvature: 1 };
    expect([...expectedSharpening(input, { learningRate: 1, batchSize: 1 }).first]).toEqual([NaN, NaN]);
    expect(() => expectedSharpening({ ...input, residual: [1] }, { learningRate: 1, batchSize: 1 })).toThrow(
      "expectedSharpening: residual: expected examples = 2 numbers, got 1.",
    );
    expect(() => expectedSharpening({ ...input, weighting: () => -1 }, { learningRate: 1, batchSize: 1 })).toThrow(
      "expectedSharpening: weighting: expected finite variances of at least 0, got -1.",
    );
  });
});
