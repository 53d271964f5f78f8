import { describe, expect, test } from "vitest";
import { Builder, graph } from "../builder/builder.js";
import { GraphError } from "../ir/errors.js";
import { numbersOf } from "../ir/tensor.js";
import { nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { relativeError } from "../testing/linear-algebra.js";
import { testRandom } from "../testing/random.js";
import { dependsOn, gaussNewtonVectorProduct, hessianVectorProduct, jvp, vjp } from "./graphs.js";

const model = graph((b) => {
  const x = b.input("x", ["batch", 3]);
  const y = b.input("y", ["batch", 2]);
  const [w1, b1, w2, spare] = [b.input("W1", [3, 4]), b.input("b1", [4]), b.input("W2", [4, 2]), b.input("spare", [5])];
  const output = b.dense(b.gelu(b.dense(x, w1, b1)), w2);
  return { output, loss: b.crossEntropy(output, b.softmax(y)), unrelated: b.exp(spare) };
});
const wrt = ["W1", "b1", "W2"];
const sizes = [12, 4, 8];
const random = testRandom(3);
const params = Object.fromEntries(wrt.map((name, i) => [name, random.array(sizes[i]!)]));
const feeds = { ...params, x: random.array(15), y: random.array(10), spare: random.array(5) };
const vector = random.array(24);
const other = random.array(24);

const run = async (of: Parameters<typeof compile>[0], inputs: Record<string, Float64Array>) => {
  const session = await compile(of, { precision: "float64" });
  try {
    return await session.run(inputs);
  } finally {
    await session.dispose();
  }
};
const named = (flat: Float64Array, prefix = "") => {
  let at = 0;
  return Object.fromEntries(wrt.map((name, i) => [prefix + name, flat.slice(at, (at += sizes[i]!))]));
};
const join = (results: Awaited<ReturnType<typeof run>>, prefix: string) =>
  Float64Array.from(wrt.flatMap((name) => Array.from(results[prefix + name]!.data as Float64Array)));
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const moved = (step: number) =>
  Object.fromEntries(
    Object.entries(named(vector)).map(([name, v]) => [name, params[name]!.map((p, i) => p + step * v[i]!)]),
  );

describe("transforms of graphs", () => {
  test("jvp and vjp are adjoint", async () => {
    const forward = await run(jvp(model, { of: "output", wrt }), { ...feeds, ...named(vector, "tangent/") });
    const u = random.array(10);
    const backward = await run(vjp(model, { of: "output", wrt }), { ...feeds, "cotangent/output": u });
    const left = dot(u, forward["tangent/output"]!.data as Float64Array);
    expect(Math.abs(left - dot(join(backward, "gradient/"), vector))).toBeLessThan(1e-13);
  });

  // The central difference errs by h² times third derivatives of order 10, and 1e-16/h: 1e-9 with h = 1e-5.
  test("the Hessian-vector product is the difference of gradients, and symmetric", async () => {
    const product = hessianVectorProduct(model, { of: "loss", wrt, vectors: "flat" });
    const hv = (await run(product, { ...feeds, vector })).product!.data as Float64Array;
    const gradient = vjp(model, { of: "loss", wrt });
    const [ahead, behind] = [
      join(await run(gradient, { ...feeds, ...moved(1e-5) }), "gradient/"),
      join(await run(gradient, { ...feeds, ...moved(-1e-5) }), "gradient/"),
    ];
    expect(
      relativeError(
        hv,
        ahead.map((value, i) => (value - behind[i]!) / 2e-5),
      ),
    ).toBeLessThan(1e-8);
    const hw = (await run(product, { ...feeds, vector: other })).product!.data as Float64Array;
    expect(Math.abs(dot(other, hv) - dot(vector, hw))).toBeLessThan(1e-14);
  });

  test("named, flat and stacked vectors give the same products", async () => {
    for (const product of [hessianVectorProduct, gaussNewtonVectorProduct]) {
      const options = { of: "loss", output: "output", wrt };
      const byName = join(await run(product(model, options), { ...feeds, ...named(vector, "vector/") }), "product/");
      const flat = (await run(product(model, { ...options, vectors: "flat" }), { ...feeds, vector })).product!.data;
      const stack = Float64Array.from([...other, ...vector]);
      const stacked = (await run(product(model, { ...options, vectors: "stacked" }), { ...feeds, vectors: stack }))
        .products!;
      expect(relativeError(flat, byName)).toBeLessThan(1e-14);
      expect(stacked.shape).toEqual([2, 24]);
      expect(relativeError((stacked.data as Float64Array).slice(24), byName)).toBeLessThan(1e-14);
    }
  });

  test("the Gauss–Newton matrix is positive semi-definite where the loss is convex in the output", async () => {
    const product = gaussNewtonVectorProduct(model, { of: "loss", output: "output", wrt, vectors: "flat" });
    for (const v of [vector, other]) {
      expect(dot(v, (await run(product, { ...feeds, vector: v })).product!.data as Float64Array)).toBeGreaterThan(0);
    }
  });

  test("an output that does not depend on a parameter has the gradient zero, and says so", async () => {
    expect(dependsOn(model, "loss", "spare")).toBe(false);
    expect(dependsOn(model, "loss", "W1")).toBe(true);
    const results = await run(vjp(model, { of: "loss", wrt: ["spare"] }), feeds);
    expect(numbersOf(results["gradient/spare"]!)).toEqual([0, 0, 0, 0, 0]);
  });

  test("a dependence through steps alone is none, whatever it passes before and after", async () => {
    const stepped = graph((b) => {
      const [x, w, v, u] = [b.input("x", [2]), b.input("w", [2]), b.input("v", [2]), b.input("u", [2])];
      const above = b.cast(b.greater(b.mul(x, v), u), "float32");
      return { y: b.reduceSum(b.add(b.mul(x, w), b.mul(b.where(b.less(x, u), w, x), above))) };
    });
    expect(["x", "w", "v", "u"].map((name) => dependsOn(stepped, "y", name))).toEqual([true, true, false, false]);
    const session = await compile(vjp(stepped, { of: "y", wrt: ["v", "u"] }));
    const results = await session.run({ x: [1, 2], w: [3, 4], v: [5, 6], u: [5.5, 1] });
    await session.dispose();
    expect(numbersOf(results["gradient/v"]!)).toEqual([0, 0]);
    expect(numbersOf(results["gradient/u"]!)).toEqual([0, 0]);
  });

  test("refuses what is not there, and what is no scalar", () => {
    for (const transform of [vjp, jvp, hessianVectorProduct]) {
      expect(() => transform(model, { of: "loss", wrt: [] })).toThrow(
        `${transform.name}: wrt names no input, so there is nothing to differentiate by; the graph has x, `,
      );
    }
    expect(() => vjp(model, { of: "accuracy", wrt })).toThrow(
      'vjp: the graph has no output "accuracy"; it has output, loss, unrelated.',
    );
    expect(() => vjp(model, { of: "loss", wrt: ["W9"] })).toThrow('vjp: the graph has no input "W9"');
    expect(() => hessianVectorProduct(model, { of: "output", wrt })).toThrow(GraphError);
    expect(() => hessianVectorProduct(model, { of: "output", wrt })).toThrow(
      "expected a scalar, but dense2/Gemm has shape [batch, 2]".replace("dense2/", ""),
    );
  });
});

test("nothing is computed for tangents that are structurally zero", () => {
  const b = new Builder();
  const [x, w] = [b.input("x", ["n", 3]), b.input("w", [3, 2])];
  const [dy] = b.jvp([b.matMul(x, w)], [x, w], [null, w]);
  expect(nodesReaching([dy!]).map(({ op }) => op)).toEqual(["Gemm"]);
  expect(b.jvp([x], [w], [w])).toEqual([null]);
});
