/**
 * Loss, gradient and curvature of small networks, against fixtures/networks.json: computed in float64 by another
 * implementation, in another language.
 *
 * float64: up to 845 roundings of 1.1e-16 one after another, on sums that cancel by less than 10: 1e-12.
 * float32: 4·√R·2⁻²⁴, R the roundings one after another, counted in the graph (testing/roundings.ts): 2e-6 to 7e-6.
 * Eigenvalues are as good as the matrix in norm. docs/autodiff/accuracy.md has the table.
 */
import { describe, expect, test } from "vitest";
import { compile, type CompileOptions } from "./runtime/session.js";
import {
  feedsOf,
  networkGraph,
  paramNames,
  referenceNetworks,
  titleOf,
  type ReferenceNetwork,
} from "./testing/reference.js";
import { float32Tolerance } from "./testing/roundings.js";
import { relativeError, topEigenvalues, traceOf } from "./testing/linear-algebra.js";
import { gaussNewtonVectorProduct, hessianVectorProduct, vjp } from "./transforms/graphs.js";
import { taps } from "./transforms/taps.js";
import type { Graph } from "./ir/graph.js";
import { tensor, type Tensor } from "./ir/tensor.js";

const all = referenceNetworks.map((network) => [titleOf(network), network] as const);
const mlps = all.filter(([, { name }]) => name === "mlp");
const precisions = ["float64", "float32"] as const;
type Precision = (typeof precisions)[number];

const toleranceOf = (graph: Graph, { examples }: ReferenceNetwork, precision: Precision): number =>
  precision === "float64" ? 1e-12 : float32Tolerance(graph, { batch: examples });

async function evaluate(
  graph: Graph,
  feeds: Parameters<Awaited<ReturnType<typeof compile>>["run"]>[0],
  options: CompileOptions,
): Promise<Record<string, Tensor>> {
  const session = await compile(graph, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** The matrix a product graph multiplies by: its products with all unit vectors, in one run. */
async function matrixOf(
  product: Graph,
  network: ReferenceNetwork,
  precision: "float32" | "float64",
): Promise<Float64Array> {
  const size = network.gradient.length;
  const unit = Float64Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));
  const { products } = await evaluate(
    product,
    { ...feedsOf(network), vectors: tensor(unit, [size, size], precision) },
    { precision },
  );
  return Float64Array.from(products!.data as Float64Array);
}

describe.each(all)("%s", (_, network) => {
  const wrt = paramNames(network);
  const size = network.gradient.length;

  test.each(precisions)("loss and gradient in %s", async (precision) => {
    const model = vjp(networkGraph(network), { of: "loss", wrt });
    const tolerance = toleranceOf(model, network, precision);
    const results = await evaluate(model, feedsOf(network), { precision });
    expect(relativeError(results.loss!.data, [network.lossValue])).toBeLessThan(tolerance);
    const gradient = wrt.flatMap((name) => Array.from(results[`gradient/${name}`]!.data as Float64Array));
    expect(relativeError(gradient, network.gradient)).toBeLessThan(tolerance);
  });

  test.each(precisions)("the Hessian in %s: symmetric, its trace and top eigenvalues", async (precision) => {
    const options = { of: "loss", wrt } as const;
    const tolerance = toleranceOf(hessianVectorProduct(networkGraph(network), options), network, precision);
    const product = hessianVectorProduct(networkGraph(network), { ...options, vectors: "stacked" });
    const hessian = await matrixOf(product, network, precision);
    const transposed = hessian.map((_, i) => hessian[(i % size) * size + Math.floor(i / size)]!);
    expect(relativeError(transposed, hessian)).toBeLessThan(tolerance);
    expect(relativeError([traceOf(hessian, size)], [network.hessianTrace])).toBeLessThan(tolerance);
    const top = topEigenvalues(hessian, size, network.hessianTop.length);
    expect(relativeError(top, network.hessianTop)).toBeLessThan(tolerance);
  });

  test.each(precisions)("the Gauss–Newton matrix in %s: its trace and top eigenvalues", async (precision) => {
    const options = { of: "loss", output: "output", wrt } as const;
    const tolerance = toleranceOf(gaussNewtonVectorProduct(networkGraph(network), options), network, precision);
    const product = gaussNewtonVectorProduct(networkGraph(network), { ...options, vectors: "stacked" });
    const matrix = await matrixOf(product, network, precision);
    expect(relativeError([traceOf(matrix, size)], [network.gaussNewtonTrace])).toBeLessThan(tolerance);
    const top = topEigenvalues(matrix, size, network.gaussNewtonTop.length);
    expect(relativeError(top, network.gaussNewtonTop)).toBeLessThan(tolerance);
  });
});

describe.each(mlps)("layer taps of %s", (_, network) => {
  const wrt = paramNames(network);

  test.each(precisions)("the NTK in %s: its trace and top eigenvalues", async (precision) => {
    const { graph, uses, others } = taps(networkGraph(network), { of: "output", params: wrt });
    expect(others).toEqual([]);
    expect(uses.map(({ kind }) => kind)).toEqual(["dense", "bias", "dense", "bias", "dense", "bias"]);
    const tolerance = toleranceOf(graph, network, precision);
    const results = await evaluate(graph, feedsOf(network), { precision });
    const { examples: n, outputs } = network;
    const rows = n * outputs;
    const ntk = new Float64Array(rows * rows);
    for (const use of uses) {
      const d = results[use.cotangents]!;
      const a = use.activations === undefined ? null : results[use.activations]!;
      // Row (example i, output c) of d is at [c, i].
      const row = (r: number) => (r % outputs) * n + Math.floor(r / outputs);
      for (let r = 0; r < rows; r++) {
        for (let s = 0; s < rows; s++) {
          const weights = a === null ? 1 : dotRows(a, Math.floor(r / outputs), Math.floor(s / outputs));
          ntk[r * rows + s]! += (dotRows(d, row(r), row(s)) * weights) / n;
        }
      }
    }
    expect(relativeError([traceOf(ntk, rows)], [network.ntkTrace])).toBeLessThan(tolerance);
    const top = topEigenvalues(ntk, rows, network.ntkTop.length);
    expect(relativeError(top, network.ntkTop)).toBeLessThan(tolerance);
  });

  test.each(precisions)("per-example gradient norms in %s", async (precision) => {
    const { graph, uses } = taps(networkGraph(network), { of: "loss", params: wrt, cotangents: "given" });
    // A square doubles the relative error.
    const tolerance = 2 * toleranceOf(graph, network, precision);
    const results = await evaluate(graph, feedsOf(network), { precision });
    const norms = network.perExampleGradientSquaredNorms.map((_, i) =>
      uses.reduce((sum, use) => {
        const activations = use.activations === undefined ? 1 : dotRows(results[use.activations]!, i, i);
        // The loss is a mean: an example's own gradient is n times its share.
        return sum + network.examples ** 2 * dotRows(results[use.cotangents]!, i, i) * activations;
      }, 0),
    );
    expect(relativeError(norms, network.perExampleGradientSquaredNorms)).toBeLessThan(tolerance);
  });
});

/** The inner product of two rows along the last axis. */
function dotRows({ data, shape }: Tensor, i: number, j: number): number {
  const width = shape.at(-1)!;
  let sum = 0;
  for (let k = 0; k < width; k++) sum += Number(data[i * width + k]) * Number(data[j * width + k]);
  return sum;
}
