import { describe, expect, test } from "vitest";
import type { Builder } from "../builder/builder.js";
import { graph } from "../builder/builder.js";
import type { Graph, Value } from "../ir/graph.js";
import { numbersOf } from "../ir/tensor.js";
import { nodesInside, nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { hessianVectorProduct } from "../transforms/graphs.js";
import { factor } from "./factor.js";
import { toFloat64, lowerFloat64 } from "./float64.js";
import { fuse } from "./fuse.js";
import { optimize } from "./optimize.js";
import { regroup } from "./regroup.js";

const opsOf = ({ outputs }: Graph): string[] => nodesReaching(Object.values(outputs)).map(({ op }) => op);
const opsInLoop = ({ outputs }: Graph): string[] => {
  const loop = nodesReaching(Object.values(outputs)).find(({ body }) => body)!;
  return nodesInside(loop.body!).map(({ op }) => op);
};
const matrices = (b: Builder) => ({ a: b.input("a", [2, 3]), w: b.input("w", [3, 4]), c: b.input("c", [2, 4]) });

describe("fuse", () => {
  test.each<
    [string, (b: Builder, parts: ReturnType<typeof matrices>) => Graph["outputs"][string], Record<string, number>]
  >([
    ["a sum", (b, { a, w, c }) => b.add(b.matMul(a, w), c), { alpha: 1 }],
    ["a difference", (b, { a, w, c }) => b.sub(c, b.matMul(a, w)), { alpha: -1 }],
    ["a product and a scaled matrix", (b, { a, w, c }) => b.add(b.mul(c, -2), b.matMul(a, w)), { alpha: 1, beta: -2 }],
    ["a scaled product", (b, { a, w }) => b.mul(b.matMul(a, w), 3), { alpha: 3 }],
  ])("makes one Gemm of %s", (_, build, attributes) => {
    const fused = fuse(graph((b) => ({ y: build(b, matrices(b)) })));
    const nodes = nodesReaching([fused.outputs.y!]);
    expect(nodes.map(({ op }) => op)).toEqual(["Gemm"]);
    expect(nodes[0]!.attributes).toMatchObject(attributes);
  });

  test("adds to a chain of products at its beginning", () => {
    const chain = graph((b) => {
      const { a, w, c } = matrices(b);
      const inner = b.matMul(b.input("d", [2, 5]), b.input("v", [5, 4]));
      return { y: b.add(b.gemm(a, w, inner), c) };
    });
    const [first, second, ...more] = nodesReaching([fuse(chain).outputs.y!]);
    expect(more).toEqual([]);
    expect(first!.inputs[2]).toBe(chain.inputs.c);
    expect(second!.inputs[2]).toBe(first!.outputs[0]);
  });

  test("keeps a number out of an attribute, which is float32, where that would round it", () => {
    const scaled = (factor: number) =>
      graph((b) => {
        const [a, w] = [b.input("a", [2, 3], "float64"), b.input("w", [3, 4], "float64")];
        return { y: b.mul(b.matMul(a, w), factor) };
      });
    expect(opsOf(fuse(scaled(0.5)))).toEqual(["Gemm"]);
    expect(opsOf(fuse(scaled(0.9)))).toEqual(["Gemm", "Mul"]);
  });

  test("leaves a product alone that is used elsewhere too, or that would have to broadcast", () => {
    const shared = graph((b) => {
      const { a, w, c } = matrices(b);
      const product = b.matMul(a, w);
      return { y: b.add(product, c), z: b.exp(product) };
    });
    expect(opsOf(fuse(shared))).toEqual(["Gemm", "Add", "Exp"]);
    const wider = graph((b) => ({
      y: b.add(b.matMul(b.input("a", [2, 3]), b.input("w", [3, 4])), b.input("c", [5, 2, 4])),
    }));
    expect(opsOf(fuse(wider))).toEqual(["Gemm", "Add"]);
  });
});

describe("factor", () => {
  const names = ["a", "b", "s"] as const;
  const built = (build: (b: Builder, a: Value, c: Value, s: Value) => Record<string, Value>) =>
    graph((b) => build(b, ...(names.map((name) => b.input(name, [2, 3])) as [Value, Value, Value])));
  const valuesOf = async (of: Graph): Promise<number[]> => {
    const session = await compile(of);
    const inputs = { a: [1, 2, 3, 4, 5, 6], b: [-1, 3, 2, 0.5, 7, 4], s: [2, -4, 0.25, 8, 1, -2] };
    const result = await session.run(inputs);
    await session.dispose();
    return numbersOf(result["y"]!);
  };

  test("takes a common factor out, signs and constants included", async () => {
    const sum = built((b, a, c, s) => ({ y: b.add(b.mul(a, s), b.neg(b.mul(b.mul(c, 2), s))) }));
    expect(opsOf(factor(sum))).toEqual(["Mul", "Add", "Mul"]);
    // s·(a − 2b), exact in float32: quarters of whole numbers.
    expect(await valuesOf(factor(sum))).toEqual([6, 16, -0.25, 24, -9, 4]);
  });

  test("sees a factor of a product that is used elsewhere too", async () => {
    const sum = built((b, a, c, s) => {
      const shared = b.mul(c, s);
      return { y: b.add(b.mul(a, s), b.mul(shared, b.neg(c))), shared };
    });
    // (a − b²)·s, and b·s as before.
    expect(opsOf(factor(sum)).sort()).toEqual(["Mul", "Mul", "Mul", "Sub"]);
    expect(await valuesOf(factor(sum))).toEqual([0, 28, -0.25, 30, -44, 20]);
  });

  test("leaves alone what is used elsewhere, has no common factor, or another shape", () => {
    const shared = built((b, a, c, s) => {
      const product = b.mul(a, s);
      return { y: b.add(product, b.mul(c, s)), product };
    });
    const apart = built((b, a, c, s) => ({ y: b.add(b.mul(a, s), b.mul(c, b.exp(s))) }));
    const row = graph((b) => {
      const [a, c, s] = [b.input("a", [2, 3]), b.input("c", [2, 3]), b.input("s", [3])];
      return { y: b.add(b.mul(a, s), b.mul(c, s)) };
    });
    for (const kept of [shared, apart, row]) expect(opsOf(factor(kept))).toEqual(opsOf(kept));
  });

  test("computes the second derivative of tanh in three passes of the layer", () => {
    const model = graph((b) => {
      const hidden = b.tanh(b.dense(b.input("x", ["batch", 3]), b.input("W", [3, 4])));
      return { loss: b.squaredLoss(b.dense(hidden, b.input("V", [4, 2])), b.input("y", ["batch", 2])) };
    });
    const { outputs } = hessianVectorProduct(model, { of: "loss", wrt: ["W", "V"] });
    const products = Object.fromEntries(Object.entries(outputs).filter(([name]) => name !== "loss"));
    const wide = (of: Graph) =>
      nodesReaching(Object.values(of.outputs)).filter(
        ({ op, outputs: [y] }) => ["Mul", "Neg", "Add", "Sub"].includes(op) && y.shape[1] === 4,
      ).length;
    // h∘h, 1 − h², ē∘s (in the gradient), ż∘s, then (ē∘ż)∘h, added in Gemm, ∘s.
    expect(wide(optimize({ ...model, outputs: products }))).toBe(7 - 1);
  });
});

test("the slope of relu by a faster op: the same numbers, and only after relu in float32", async () => {
  const slopes = graph((b) => {
    const x = b.input("x", [7]);
    return { y: b.sign(b.relu(x)), sign: b.sign(x) };
  });
  expect(opsOf(optimize(slopes)).sort()).toEqual(["HardSigmoid", "Relu", "Sign"]);
  const session = await compile(slopes);
  const { y } = await session.run({ x: [-3, -1e-30, 0, 1e-38, 1e-30, 2, Infinity] });
  await session.dispose();
  expect(numbersOf(y!)).toEqual([0, 0, 0, 1, 1, 1, 1]);
  const wide = graph((b) => ({ y: b.sign(b.relu(b.input("x", [7], "float64"))) }));
  expect(opsOf(optimize(wide))).toEqual(["Relu", "Sign"]);
});

test("gelu with its slope computes the error function once", async () => {
  const slope = graph((b) => {
    const x = b.input("x", ["n"]);
    const y = b.gelu(x);
    return { y, slope: b.gradient(b.reduceSum(y), [x])[0]! };
  });
  expect(opsOf(optimize(slope)).filter((op) => op === "Erf" || op === "Gelu" || op === "HardSigmoid")).toEqual([
    "Erf",
    "HardSigmoid",
  ]);
  const x = [-6, -2, -0.3, 0, 1e-4, 0.7, 3, 9];
  const [single, double] = await Promise.all([compile(slope), compile(slope, { precision: "float64" })]);
  const [fast, exact] = [await single.run({ x }), await double.run({ x })];
  await Promise.all([single.dispose(), double.dispose()]);
  for (const name of ["y", "slope"]) {
    const errors = numbersOf(fast[name]!).map((value, i) => Math.abs(value - numbersOf(exact[name]!)[i]!));
    // Φ is rounded to 2⁻²⁴, and x as large as 9 multiplies it; a few roundings more in the density, which is at most 0.4.
    expect(Math.max(...errors)).toBeLessThan(20 * 2 ** -24);
  }
  // Alone, gelu stays the one kernel that it is.
  expect(opsOf(optimize(graph((b) => ({ y: b.gelu(b.input("x", [3])) }))))).toEqual(["Gelu"]);
});

describe("regroup", () => {
  test("multiplies what stays the same once, outside the loop", () => {
    const loop = graph((b) => {
      const [p, q, vectors] = [b.input("p", [3]), b.input("q", [3]), b.input("vectors", [4, 3])];
      const { scan } = b.loop({
        steps: 4,
        state: {},
        body: ({ step }) => {
          const v = b.gather(vectors, step);
          return { state: {}, scan: { y: b.mul(p, b.neg(b.mul(b.exp(v), q))) } };
        },
      });
      return { y: scan.y };
    });
    expect(opsInLoop(loop)).toEqual(["Gather", "Exp", "Mul", "Neg", "Mul"]);
    expect(opsInLoop(regroup(loop))).toEqual(["Gather", "Exp", "Mul"]);
  });

  test("takes two elementwise ops of each hidden layer out of a stacked Hessian-vector product", () => {
    const model = graph((b) => {
      const x = b.input("x", ["batch", 3]);
      const hidden = b.tanh(b.dense(x, b.input("W", [3, 4])));
      return { loss: b.squaredLoss(b.dense(hidden, b.input("V", [4, 2])), b.input("y", ["batch", 2])) };
    });
    const product = hessianVectorProduct(model, { of: "loss", wrt: ["W", "V"], vectors: "stacked" });
    const count = (of: Graph) => opsInLoop(of).filter((op) => op === "Mul" || op === "Neg").length;
    expect(count(product) - count(regroup(product))).toBeGreaterThanOrEqual(1);
  });
});

describe("float64", () => {
  test("converts inputs, constants and casts, and leaves whole numbers alone", () => {
    const model = graph((b) => {
      const x = b.input("x", ["n"]);
      const k = b.input("k", ["n"], "int64");
      return { y: b.mul(b.add(x, b.cast(k, "float32")), 0.1), k: b.add(k, 1) };
    });
    const { inputs, outputs } = toFloat64(model);
    expect([inputs.x!.type, inputs.k!.type, outputs.y!.type, outputs.k!.type]).toEqual([
      "float64",
      "int64",
      "float64",
      "int64",
    ]);
  });

  test("puts other ops where the engine has no float64 kernel, also inside loops", () => {
    const model = graph((b) => {
      const { scan } = b.loop({
        steps: 2,
        state: { x: b.input("x", [3]) },
        body: ({ state: { x } }) => ({ state: { x: b.gelu(x) }, scan: { y: b.erf(x) } }),
      });
      return { y: scan.y };
    });
    expect(opsInLoop(model)).toEqual(expect.arrayContaining(["Erf", "Gelu"]));
    const lowered = opsInLoop(lowerFloat64(toFloat64(model)));
    expect(lowered.filter((op) => op === "Erf" || op === "Gelu")).toEqual([]);
    expect(lowerFloat64(model)).toBe(model);
  });
});
