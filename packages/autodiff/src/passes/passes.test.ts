import { describe, expect, test } from "vitest";
import type { Builder } from "../builder/builder.js";
import { graph } from "../builder/builder.js";
import type { Graph } from "../ir/graph.js";
import { nodesInside, nodesReaching } from "../ir/traverse.js";
import { hessianVectorProduct } from "../transforms/graphs.js";
import { toFloat64, lowerFloat64 } from "./float64.js";
import { fuse } from "./fuse.js";
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
    ["a scaled product", (b, { a, w }) => b.mul(b.matMul(a, w), 3), { alpha: 3 }],
  ])("makes one Gemm of %s", (_, build, attributes) => {
    const fused = fuse(graph((b) => ({ y: build(b, matrices(b)) })));
    const nodes = nodesReaching([fused.outputs.y!]);
    expect(nodes.map(({ op }) => op)).toEqual(["Gemm"]);
    expect(nodes[0]!.attributes).toMatchObject(attributes);
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
