import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import { estimateNoiseKernel } from "../curvature/noise-kernel.js";
import { kernelReading } from "./kernel-reading.js";

// A kernel J Jᵀ/n of random features; f enters through the cross-entropy's Hessian.
const [examples, outputs, params] = [10, 3, 40];
const size = examples * outputs;
const random = createRandom("kernel reading");
const jacobian = random.normals(size * params);
const matrix = new Float64Array(size * size);
for (let i = 0; i < size; i++)
  for (let j = 0; j < size; j++)
    for (let k = 0; k < params; k++)
      matrix[i * size + j]! += (jacobian[i * params + k]! * jacobian[j * params + k]!) / examples;
const ntk = { examples, outputs, matrix, output: Float32Array.from(random.normals(size)) };

test.each(["squared", "cross-entropy"] as const)("is the probe's K exact, as accurate as it says: %s", (loss) => {
  const settings = {
    batchSize: 8,
    sampling: "with-replacement" as const,
    momentum: 0.5,
    weightDecay: 0.01,
    learningRate: 0.02,
  };
  const expected = estimateNoiseKernel(ntk, loss, { ...settings, examples: 500 }, { learningRate: 0.02 });
  const cold = kernelReading(ntk, loss, { ...settings, population: 500 });
  const warm = kernelReading(ntk, loss, { ...settings, population: 500 }, cold.perron);
  for (const { value, standardError, deterministicRatio } of [cold, warm]) {
    expect(Math.abs(value / expected.exact.value - 1)).toBeLessThan(1e-2);
    // Half the difference of two numbers each within 1 %.
    expect(Math.abs(standardError - expected.exact.standardError)).toBeLessThan(1e-2 * expected.exact.halfProbe);
    expect(deterministicRatio).toBeCloseTo(expected.deterministicRatio, 10);
  }
});

test("past the deterministic edge K is infinite and the next start is none", () => {
  const settings = { batchSize: 8, sampling: "with-replacement" as const, population: 500 };
  const past = kernelReading(ntk, "squared", { ...settings, learningRate: 10 });
  expect(past).toMatchObject({ value: Infinity, standardError: NaN });
  const inside = kernelReading(ntk, "squared", { ...settings, learningRate: 0.02 }, past.perron);
  expect(inside.value).toBeGreaterThan(0);
  expect(inside.value).toBeLessThan(Infinity);
});
