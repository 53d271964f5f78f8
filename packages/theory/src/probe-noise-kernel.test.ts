import { describe, expect, test } from "vitest";
import { expectRelative, gaussianJacobian } from "./fixtures/support.js";
import { linearSystem } from "./linear-system.js";
import { noiseKernel } from "./noise-kernel.js";
import { probeNoiseKernel } from "./probe-noise-kernel.js";

/** J Jᵀ/n. */
function kernelOf(jacobian: Float64Array, examples: number, outputs: number): Float64Array {
  const size = examples * outputs;
  const params = jacobian.length / size;
  const ntk = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < params; k++) ntk[i * size + j]! += jacobian[i * params + k]! * jacobian[j * params + k]!;
      ntk[i * size + j]! /= examples;
    }
  }
  return ntk;
}

describe("probeNoiseKernel", () => {
  const settings = { learningRate: 0.002, batchSize: 20, sampling: "with-replacement", population: 500 } as const;

  test("the whole probe and its halves are the systems of their own Jacobians", () => {
    const [examples, outputs, params] = [7, 2, 40];
    const jacobian = gaussianJacobian("probe", examples, outputs, params);
    const probe = probeNoiseKernel({ ntk: kernelOf(jacobian, examples, outputs), examples, outputs }, settings);
    const alone = (first: number, count: number) => {
      const rows = jacobian.subarray(first * outputs * params, (first + count) * outputs * params);
      return noiseKernel(linearSystem({ jacobian: rows, examples: count, outputs }), settings);
    };
    const [whole, a, b] = [alone(0, 7), alone(0, 3), alone(4, 3)];
    for (const norm of ["exact", "diagonal", "highDim", "trace"] as const) {
      const { value, standardError, halfProbe, extrapolated } = probe[norm];
      expectRelative(value, whole[norm], 1e-8);
      expectRelative(halfProbe, (a[norm] + b[norm]) / 2, 1e-8);
      expect(Math.abs(standardError - Math.abs(a[norm] - b[norm]) / 2)).toBeLessThan(1e-8 * whole[norm]);
      expectRelative(extrapolated, 2 * value - halfProbe, 1e-12);
    }
    expect(probe.system.rank).toBe(14);
    expectRelative(
      probe.exampleWeights.reduce((sum, x) => sum + x, 0),
      1,
      1e-12,
    );
  });

  // 200 disjoint probes of 12: the standard error must be the spread that such probes have, from which a half-difference of
  // two numbers departs by ±40 % of its own mean: over 200 of them, root mean square within 15 %.
  test("the standard error is the spread of repeated probes", () => {
    const values: number[] = [];
    let squares = 0;
    for (let seed = 0; seed < 200; seed++) {
      const jacobian = gaussianJacobian(`repeat ${seed}`, 12, 1, 30);
      const { trace } = probeNoiseKernel({ ntk: kernelOf(jacobian, 12, 1), examples: 12 }, settings);
      values.push(trace.value);
      squares += trace.standardError ** 2;
    }
    const mean = values.reduce((sum, x) => sum + x, 0) / 200;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 199;
    expectRelative(Math.sqrt(squares / 200), Math.sqrt(variance), 0.25);
  });

  test("the interval lies about the value, is nothing for the whole population, and grows where one example makes K", () => {
    const jacobian = gaussianJacobian("interval", 32, 1, 60);
    const ntk = kernelOf(jacobian, 32, 1);
    const probe = probeNoiseKernel({ ntk, examples: 32 }, settings);
    const all = probeNoiseKernel({ ntk, examples: 32 }, { ...settings, population: 32 });
    const uneven = jacobian.map((x, k) => (k < 60 ? 3 * x : x));
    const single = probeNoiseKernel({ ntk: kernelOf(uneven, 32, 1), examples: 32 }, settings);
    const width = ({ exact: { low, high } }: typeof probe) => Math.log(high / low);
    for (const norm of ["exact", "diagonal", "highDim", "trace"] as const) {
      const { low, value, high } = probe[norm];
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
      expectRelative(low * high, value ** 2, 1e-12);
      expect(all[norm]).toMatchObject({ low: all[norm].value, high: all[norm].value });
    }
    expect(width(single)).toBeGreaterThan(2 * width(probe));
  });

  test("a probe of one example has a value and no error bar", () => {
    const { exact } = probeNoiseKernel({ ntk: [3], examples: 1 }, settings);
    expect(exact.value).toBeGreaterThan(0);
    expect(exact.standardError).toBeNaN();
    expect(exact.low).toBeNaN();
  });

  test("past the deterministic edge the value is Infinity and the perron zero", () => {
    const { exact, binding, perron } = probeNoiseKernel(
      { ntk: kernelOf(gaussianJacobian("past", 4, 1, 9), 4, 1), examples: 4 },
      { ...settings, learningRate: 10 },
    );
    expect(exact).toMatchObject({ value: Infinity, standardError: NaN });
    expect(binding).toBe("deterministic");
    expect(perron).toEqual(new Float64Array(4));
  });

  test("names itself in errors about its input", () => {
    expect(() => probeNoiseKernel({ ntk: [1, 2], examples: 2 }, settings)).toThrow(
      "probeNoiseKernel: ntk: expected size × size = 2 × 2 = 4 numbers, got 2.",
    );
    expect(() => probeNoiseKernel({ ntk: [1], examples: 1 }, { ...settings, batchSize: 501 })).toThrow(
      "batchSize: expected an integer from 1 to 500, got 501.",
    );
  });
});
