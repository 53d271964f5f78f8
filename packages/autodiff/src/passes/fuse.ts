/** Joins ops that the engine can do in one: sums of matrix products into Gemm's third input. */
import { Builder, graphOf } from "../builder/builder.js";
import { producer, type Graph, type Node, type Value } from "../ir/graph.js";
import { dependencies, nodesInside, nodesReaching } from "../ir/traverse.js";
import { scalarConstant } from "../ops/arithmetic.js";
import { broadcastsTo } from "../ir/shapes.js";
import { rebuild } from "./rebuild.js";

/**
 * The same graph with
 *
 *     Gemm(A, B) + X       →  Gemm(A, B, X)
 *     X − Gemm(A, B)       →  Gemm(A, B, X) with alpha = −alpha, which makes W − Aᵀ·D, a training update, one op
 *     Gemm(A, B) · c       →  Gemm(A, B) with alpha = c·alpha
 *
 * where the product is used for nothing else.
 */
export function fuse(graph: Graph): Graph {
  const values = Object.values(graph.outputs);
  const uses = countUses(values);
  const g = new Builder();
  const rebuilt = rebuild(g, values, new Map(), (node, inputs) => {
    const [a, b] = node.inputs as [Value, Value];
    const [newA, newB] = inputs as [Value, Value];
    const once = (value: Value): boolean => uses.get(value) === 1;
    const fused =
      node.op === "Add"
        ? (once(b) && fuseSum(g, newB, newA, 1)) || (once(a) && fuseSum(g, newA, newB, 1))
        : node.op === "Sub"
          ? once(b) && fuseSum(g, newB, newA, -1)
          : node.op === "Mul"
            ? once(a) && fuseScale(g, newA, newB)
            : false;
    return fused ? [fused] : null;
  });
  const names = Object.keys(graph.outputs);
  return graphOf(Object.fromEntries(names.map((name, i) => [name, rebuilt[i]!])), graph.name, graph.inputs);
}

/** addend + sign·product. */
function fuseSum(g: Builder, product: Value, addend: Value, sign: 1 | -1): Value | null {
  const gemm = producer(product);
  if (gemm?.op !== "Gemm" || gemm.inputs[2] !== null || !broadcastsTo(addend.shape, product.shape)) return null;
  const { alpha, ...rest } = gemm.attributes as { alpha: number; transA: number; transB: number };
  return g.gemm(gemm.inputs[0]!, gemm.inputs[1]!, addend, { ...rest, alpha: sign * alpha, beta: 1 });
}

function fuseScale(g: Builder, product: Value, factor: Value): Value | null {
  const gemm = producer(product);
  const scale = scalarConstant(factor);
  if (gemm?.op !== "Gemm" || gemm.inputs[2] !== null || scale === null) return null;
  const { alpha, transA, transB } = gemm.attributes as { alpha: number; transA: number; transB: number };
  return g.gemm(gemm.inputs[0]!, gemm.inputs[1]!, null, { alpha: alpha * scale, transA, transB });
}

/** How often each value is read, results included. */
export function countUses(values: readonly Value[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      dependencies(node).forEach(count);
      if (!node.body) continue;
      node.body.outputs.forEach(count);
      visit(nodesInside(node.body));
    }
  };
  values.forEach(count);
  visit(nodesReaching(values));
  return uses;
}
