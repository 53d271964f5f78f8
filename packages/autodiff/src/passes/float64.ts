/** Computing in float64. */
import { Builder, graphOf } from "../builder/builder.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { convert, type DataType, type Tensor } from "../ir/tensor.js";
import { leavesReaching } from "../ir/traverse.js";
import { onnxTypes } from "../onnx/types.js";
import { ruleFor } from "../ops/registry.js";
import { rebuild, type Replace } from "./rebuild.js";

/** The same graph in float64: inputs, constants and casts that were float32 become float64. */
export const toFloat64 = (graph: Graph): Graph => withFloats(graph, "float32", "float64");

/** The same graph with one float type in place of another. */
export function withFloats(graph: Graph, from: DataType, to: DataType): Graph {
  const g = new Builder();
  const bound = new Map<Value, Value>();
  for (const [name, value] of Object.entries(graph.inputs)) {
    bound.set(value, g.input(name, value.shape, value.type === from ? to : value.type));
  }
  for (const leaf of leavesReaching(Object.values(graph.outputs))) {
    if (leaf.origin.kind !== "constant" || leaf.type !== from) continue;
    const { tensor, exact } = leaf.origin;
    bound.set(leaf, exact === undefined ? g.constant(inType(tensor, to)) : g.constant(exact, { type: to }));
  }
  const replace: Replace = (node, inputs) => {
    const attributes = Object.entries(node.attributes).map(([key, value]) => {
      if (key === "to" && value === onnxTypes.numberOf(from)) return [key, onnxTypes.numberOf(to)];
      const isTensor = typeof value === "object" && "data" in value && value.type === from;
      return [key, isTensor ? inType(value, to) : value];
    });
    return node.body ? null : g.nodeOutputs(node.op, inputs, Object.fromEntries(attributes) as Node["attributes"]);
  };
  return rebuilt(graph, g, bound, replace);
}

/** Puts what a rule offers instead in place of float64 nodes for which the engine has no kernel. */
export function lowerFloat64(graph: Graph): Graph {
  let replaced = false;
  const g = new Builder(graph);
  const lowered = rebuilt(graph, g, new Map(), (node, inputs) => {
    const rule = ruleFor(node.op);
    if (!rule.float64 || !inputs.some((value) => value?.type === "float64")) return null;
    replaced = true;
    const made = g.scope(node.name, () => rule.float64!(g, { ...node, inputs }));
    return Array.isArray(made) ? (made as readonly Value[]) : [made as Value];
  });
  // What was put in place may itself need replacing.
  return replaced ? lowerFloat64(lowered) : graph;
}

const inType = (tensor: Tensor, type: DataType): Tensor => ({ ...tensor, type, data: convert(tensor.data, type) });

function rebuilt(graph: Graph, g: Builder, bound: ReadonlyMap<Value, Value>, replace: Replace): Graph {
  const values = rebuild(g, Object.values(graph.outputs), bound, replace);
  const outputs = Object.fromEntries(Object.keys(graph.outputs).map((name, i) => [name, values[i]!]));
  return graphOf(outputs, graph.name, bound.size > 0 ? g.declaredInputs() : graph.inputs);
}
