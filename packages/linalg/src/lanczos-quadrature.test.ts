import { describe, expect, test } from "vitest";
import { lanczosQuadrature } from "./lanczos-quadrature.js";
import { createRandom } from "./random.js";

/** A diagonal operator: what any symmetric one is in its eigenbasis. */
const diagonal = (values: Float64Array) => (x: Float64Array) => Promise.resolve(x.map((xi, i) => values[i]! * xi));
const random = createRandom("quadrature");
const size = 60;
const values = random.normals(size);
const start = random.normals(size);
const square = start.reduce((sum, x) => sum + x * x, 0);
const moment = (f: (value: number) => number) => start.reduce((sum, x, i) => sum + x * x * f(values[i]!), 0) / square;
const sum = ({ nodes, weights }: { nodes: Float64Array; weights: Float64Array }, f: (node: number) => number) =>
  nodes.reduce((total, node, k) => total + weights[k]! * f(node), 0);

describe.each([true, false])("with reorthogonalisation: %s", (reorthogonalise) => {
  test("m nodes integrate polynomials of degree 2m − 1 exactly, and no further", async () => {
    const rule = await lanczosQuadrature(diagonal(values), start, { iterations: 5, reorthogonalise });
    expect(rule.nodes).toHaveLength(5);
    for (let degree = 0; degree < 10; degree++) {
      // Powers up to |λ|⁹ ~ 3⁹: rounding of 1e-16 in λ grows to some 1e-11 of the sum.
      expect(sum(rule, (x) => x ** degree)).toBeCloseTo(
        moment((x) => x ** degree),
        9,
      );
    }
    expect(Math.abs(sum(rule, (x) => x ** 10) - moment((x) => x ** 10))).toBeGreaterThan(1e-3);
  });

  test("weights are positive and add up to 1", async () => {
    const { weights } = await lanczosQuadrature(diagonal(values), start, { iterations: 30, reorthogonalise });
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  test("smooth functions converge", async () => {
    const rule = await lanczosQuadrature(diagonal(values), start, { iterations: 25, reorthogonalise });
    expect(sum(rule, Math.exp)).toBeCloseTo(moment(Math.exp), 10);
  });
});

test("ends where the vector's space does: a vector of three eigenvectors sees three nodes", async () => {
  const few = new Float64Array(size);
  few[3] = 1;
  few[10] = 2;
  few[20] = -1;
  const { nodes, weights } = await lanczosQuadrature(diagonal(values), few);
  const expected = [3, 10, 20].map((i) => [values[i]!, few[i]! ** 2 / 6] as const).sort(([a], [b]) => a - b);
  expect(nodes).toHaveLength(3);
  expected.forEach(([value, weight], k) => {
    expect(nodes[k]).toBeCloseTo(value, 12);
    expect(weights[k]).toBeCloseTo(weight, 12);
  });
});

test("refuses a zero start, no iterations, and a product that is not finite", async () => {
  await expect(lanczosQuadrature(diagonal(values), new Float64Array(size))).rejects.toThrow("other than zero");
  await expect(lanczosQuadrature(diagonal(values), start, { iterations: 0 })).rejects.toThrow("iterations");
  await expect(lanczosQuadrature((x) => Promise.resolve(x.fill(NaN)), start)).rejects.toThrow("product from apply");
});
