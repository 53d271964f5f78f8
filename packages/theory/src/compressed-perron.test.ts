import { createRandom, selectBackend, type Random } from "@sedge/linalg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bandKernel } from "./band-kernel.js";
import { compressedMap } from "./compressed-map.js";
import { compressedPerron } from "./compressed-perron.js";
import { exactNoiseKernel, noiseMap, responsePerron } from "./exact-noise-kernel.js";
import { expectRelative, gaussianJacobian } from "./fixtures/support.js";
import { linearSystem, type LinearSystem } from "./linear-system.js";
import { pairResponse } from "./response.js";
import { responseFactors } from "./response-factors.js";
import { resolveDynamics, type SgdSettings } from "./settings.js";

/** Random symmetric blocks, [N, C, C]. */
function symmetricBlocks(rng: Random, examples: number, outputs: number): Float64Array {
  const blocks = new Float64Array(examples * outputs * outputs);
  for (let i = 0; i < examples; i++)
    for (let a = 0; a < outputs; a++)
      for (let b = 0; b <= a; b++)
        blocks[(i * outputs + a) * outputs + b] = blocks[(i * outputs + b) * outputs + a] = rng.normal();
  return blocks;
}

describe("compressedMap", () => {
  // bd(V [(VᵀWV) ∘ S] Vᵀ), S = Σ_k a_k a_kᵀ, entry by entry from its definition.
  function bruteForce({ examples, outputs, rank, modes }: LinearSystem, factors: Float64Array[], blocks: Float64Array) {
    const inner = new Float64Array(rank * rank);
    const result = new Float64Array(blocks.length);
    const each = (visit: (entry: number, row: number, column: number) => void): void => {
      for (let row = 0; row < examples * outputs; row++)
        for (let b = 0; b < outputs; b++) visit(row * outputs + b, row, row - (row % outputs) + b);
    };
    for (let mu = 0; mu < rank; mu++) {
      for (let nu = 0; nu < rank; nu++) {
        each((entry, row, column) => {
          inner[mu * rank + nu]! += modes[row * rank + mu]! * blocks[entry]! * modes[column * rank + nu]!;
        });
        inner[mu * rank + nu]! *= factors.reduce((sum, a) => sum + a[mu]! * a[nu]!, 0);
      }
    }
    each((entry, row, column) => {
      for (let mu = 0; mu < rank; mu++)
        for (let nu = 0; nu < rank; nu++)
          result[entry]! += modes[row * rank + mu]! * inner[mu * rank + nu]! * modes[column * rank + nu]!;
    });
    return result;
  }

  test("Node has the kernel", () => expect(bandKernel(2, 100)).not.toBeNull());

  test.each([
    [1, 1, 1],
    [4, 1, 9],
    [7, 2, 30],
    [5, 3, 8],
    [9, 4, 50],
    [6, 11, 70],
  ])("is what it says: N = %i, C = %i, P = %i", (examples, outputs, params) => {
    const system = linearSystem({ jacobian: gaussianJacobian("map", examples, outputs, params), examples, outputs });
    const rng = createRandom("map");
    const factors = [rng.normals(system.rank), rng.normals(system.rank), rng.normals(system.rank)];
    const map = compressedMap(system, factors)!;
    const result = new Float64Array(examples * outputs * outputs);
    for (let again = 0; again < 2; again++) {
      const blocks = symmetricBlocks(rng, examples, outputs);
      map(blocks, result);
      const truth = bruteForce(system, factors, blocks);
      const scale = truth.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      // Single precision, 6e-8 a rounding, over sums of at most 3·66·11 terms of which each is rounded thrice.
      result.forEach((x, at) => expect(Math.abs(x - truth[at]!)).toBeLessThan(1e-5 * scale));
    }
  });

  test("asks for no memory that there is not", () => {
    expect(bandKernel(2, 2 ** 40)).toBeNull();
    expect(bandKernel(1000, 100)).toBeNull();
  });
});

describe.each(["typescript", "auto"] as const)(
  "the exact norm of a large system, by way of the compressed map: %s",
  (backend) => {
    beforeAll(() => void selectBackend(backend));
    afterAll(() => void selectBackend("auto"));

    const problem = (examples: number, outputs: number, decay: number) => {
      const [size, params] = [examples * outputs, 2 * examples * outputs];
      const jacobian = gaussianJacobian("large", examples, outputs, params);
      // Rows that fall off make a spectrum over some decades, as networks have.
      for (let row = 0; row < size; row++)
        for (let k = 0; k < params; k++) jacobian[row * params + k]! *= Math.exp((-decay * k) / params);
      return linearSystem({ jacobian, examples, outputs });
    };
    const settings = (system: LinearSystem, change: Partial<SgdSettings> = {}): SgdSettings => ({
      learningRate: 0.6 / system.lambdaMax,
      batchSize: 2,
      ...change,
    });
    const alone = (system: LinearSystem, run: SgdSettings, tolerance: number) => {
      const dynamics = resolveDynamics("test", system.examples, run);
      const response = (a: number, b: number) => pairResponse(a, b, dynamics);
      const identity = new Float64Array(system.examples * system.outputs ** 2);
      for (let row = 0; row < system.size; row++) identity[row * system.outputs + (row % system.outputs)] = 1;
      return { response, identity, ...responsePerron(system, response, tolerance, identity) };
    };

    test.each([
      ["a flat spectrum", 60, 3, 0, {}],
      ["four decades", 80, 3, 9, {}],
      ["one output", 120, 1, 3, {}],
      ["momentum, decay, replacement", 60, 4, 3, { momentum: 0.9, weightDecay: 0.05, sampling: "with-replacement" }],
    ] as const)("is that of the map alone, with fewer products: %s", (_, examples, outputs, decay, change) => {
      const system = problem(examples, outputs, decay);
      const run = settings(system, change);
      const { response, identity, value, iterations } = alone(system, run, 1e-12);
      const map = noiseMap(system, response);
      // The first product has an error of second order; each further one squares what is left, up to single precision's share.
      for (const [tolerance, most] of [
        [1e-4, 1],
        [1e-6, 2],
        [1e-10, 4],
      ] as const) {
        const compressed = compressedPerron(system, response, map, tolerance, identity, 30)!;
        expect(compressed.converged).toBe(true);
        expect(compressed.iterations).toBeLessThanOrEqual(Math.min(most, 0.5 * iterations));
        const exact = exactNoiseKernel(system, run, { tolerance });
        expectRelative(exact.value, value, tolerance);
        expectRelative(compressed.value, value, tolerance);
      }
    });

    test("its bound holds: 0 ≤ K − K' ≤ the largest entry of G that the factors leave out", () => {
      const system = problem(30, 2, 5);
      const { response, value } = alone(system, settings(system), 1e-12);
      for (const count of [1, 2, 4, 6]) {
        const { factors, error } = responseFactors(system.eigenvalues, response, 0, count);
        const at = new Map([...system.eigenvalues].map((lambda, mu) => [lambda, mu]));
        const truncated = (a: number, b: number) =>
          factors.reduce((sum, factor) => sum + factor[at.get(a)!]! * factor[at.get(b)!]!, 0);
        const start = new Float64Array(120); // zeros: the identity
        const { value: below } = responsePerron(system, truncated, 1e-12, start);
        expect(below).toBeLessThanOrEqual(value * (1 + 1e-11));
        expect(value - below).toBeLessThanOrEqual(error + 1e-11 * value);
      }
    });

    test("two parts that are all but tied: the larger is found, though the compressed map cannot tell", () => {
      const part = { examples: 60, params: 130 };
      const rng = createRandom("tied");
      const rows = rng.normals(part.examples * part.params);
      const [examples, params] = [2 * part.examples, 2 * part.params];
      for (const larger of [0, 1]) {
        const jacobian = new Float64Array(examples * params);
        for (let i = 0; i < examples; i++) {
          const [half, row] = [Math.floor(i / part.examples), i % part.examples];
          for (let k = 0; k < part.params; k++)
            jacobian[i * params + half * part.params + k] =
              rows[row * part.params + k]! * (half === larger ? 1 + 1e-7 : 1);
        }
        const system = linearSystem({ jacobian, examples });
        const run = settings(system, { sampling: "bernoulli" });
        const { exampleWeights } = exactNoiseKernel(system, run, { tolerance: 1e-12 });
        const share = exampleWeights.subarray(larger * part.examples, (larger + 1) * part.examples);
        expect(share.reduce((sum, x) => sum + x, 0)).toBeGreaterThan(0.5);
      }
    });
  },
);
