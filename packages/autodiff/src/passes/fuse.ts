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
 *     Gemm(A, B) + c·X     →  Gemm(A, B, X) with beta = c
 *     Gemm(A, B, Gemm(C, D)) + X  →  Gemm(A, B, Gemm(C, D, X))
 *     X − Gemm(A, B)       →  Gemm(A, B, X) with alpha = −alpha, which makes W − Aᵀ·D, a training update, one op
 *     Gemm(A, B) · c       →  Gemm(A, B) with alpha = c·alpha
 *
 * where the product is used for nothing else.
 */
export function fuse(graph: Graph): Graph {
  const values = Object.values(graph.outputs);
  const uses = countUses(values);
  const g = new Builder();
  const once = (value: Value): boolean => uses.get(value) === 1;
  const rebuilt = rebuild(g, values, new Map(), (node, inputs, mapped) => {
    const [a, b] = node.inputs as [Value, Value];
    const addTo = (product: Value, addend: Value, sign: 1 | -1): Value | null => {
      if (!once(product)) return null;
      const scaled = once(addend) ? scaledValue(addend) : null;
      return (
        (scaled && addInto(g, product, mapped(scaled.value), sign, scaled.scale, once, mapped)) ??
        addInto(g, product, mapped(addend), sign, 1, once, mapped)
      );
    };
    const fused =
      node.op === "Add"
        ? (addTo(b, a, 1) ?? addTo(a, b, 1))
        : node.op === "Sub"
          ? addTo(b, a, -1)
          : node.op === "Mul" && once(a)
            ? fuseScale(g, inputs[0]!, inputs[1]!)
            : null;
    return fused && [fused];
  });
  const names = Object.keys(graph.outputs);
  return graphOf(Object.fromEntries(names.map((name, i) => [name, rebuilt[i]!])), graph.name, graph.inputs);
}

/**
 * scale·addend + sign·product, in the matrix product, or where that has a third input already, in the product that makes
 * it. null where there is no such place.
 */
function addInto(
  g: Builder,
  product: Value,
  addend: Value,
  sign: 1 | -1,
  scale: number,
  once: (value: Value) => boolean,
  mapped: (value: Value) => Value,
): Value | null {
  const gemm = producer(mapped(product));
  if (gemm?.op !== "Gemm" || !broadcastsTo(addend.shape, product.shape)) return null;
  const { alpha, beta, ...rest } = gemm.attributes as { alpha: number; beta: number; transA: number; transB: number };
  const [left, right, third] = gemm.inputs as [Value, Value, Value | null];
  if (third === null) return g.gemm(left, right, addend, { ...rest, alpha: sign * alpha, beta: scale });
  const chained = producer(product)?.inputs[2];
  if (!chained || sign !== 1 || beta !== 1 || mapped(chained) !== third || !once(chained)) return null;
  const inner = addInto(g, chained, addend, 1, scale, once, mapped);
  return inner && g.gemm(left, right, inner, { ...rest, alpha, beta });
}

/** What a value is a constant times of. */
function scaledValue(value: Value): { value: Value; scale: number } | null {
  const made = producer(value);
  if (made?.op !== "Mul") return null;
  const scale = scalarConstant(made.inputs[1]!);
  return scale === null || !fitsAttribute(scale, value) ? null : { value: made.inputs[0]!, scale };
}

/** Attributes are float32: in a float64 product only numbers that are float32 already keep all their digits there. */
const fitsAttribute = (number: number, { type }: Value): boolean =>
  type === "float32" || Math.fround(number) === number;

function fuseScale(g: Builder, product: Value, factor: Value): Value | null {
  const gemm = producer(product);
  const scale = scalarConstant(factor);
  if (gemm?.op !== "Gemm" || gemm.inputs[2] !== null || scale === null) return null;
  const { alpha, transA, transB } = gemm.attributes as { alpha: number; transA: number; transB: number };
  if (!fitsAttribute(alpha * scale, product)) return null;
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
