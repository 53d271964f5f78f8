/** Computes convolutions in the formulation that is fastest for their shape. docs/autodiff/formulations.md has the measurements. */
import { Builder, graphOf } from "../builder/builder.js";
import { isStatic } from "../ir/dims.js";
import { constantOf, type Graph, type Node, type Value } from "../ir/graph.js";
import { nodesReaching } from "../ir/traverse.js";
import { perChannel } from "../ops/convolution.js";
import { canTile, winogradConvolution, winogradPays } from "../ops/winograd.js";
import { windowCounts, windowsOf, type windowAttributes } from "../ops/windows.js";
import type { AttributesOf } from "../ops/rule.js";
import { rebuild } from "./rebuild.js";

/**
 * The same graph with convolutions of varying float32 kernels by Winograd's products where those are faster. For kernels
 * that are constants the engine has a layout of its own, which is as fast.
 */
export function tileConvolutions(graph: Graph): Graph {
  const values = Object.values(graph.outputs);
  if (!nodesReaching(values).some(({ op, body }) => op === "Conv" || body !== undefined)) return graph;
  const g = new Builder(graph);
  const rebuilt = rebuild(g, values, new Map(), (node, inputs) => {
    const made = node.op === "Conv" ? g.scope(node.name, () => tiled(g, node, inputs)) : null;
    return made && [made];
  });
  const names = Object.keys(graph.outputs);
  return graphOf(Object.fromEntries(names.map((name, i) => [name, rebuilt[i]!])), graph.name, graph.inputs);
}

function tiled(g: Builder, node: Node, inputs: readonly (Value | null)[]): Value | null {
  const [x, w, bias] = inputs as readonly [Value, Value, Value | null | undefined];
  if (x.type !== "float32" || !canTile(x) || constantOf(w) !== null || !isStatic(w.shape)) return null;
  const attributes = node.attributes as AttributesOf<typeof windowAttributes> & { group: number };
  const windows = windowsOf(node, attributes, w.shape.slice(2), x.shape.slice(2));
  if (!winogradPays(windows, attributes.group, x.shape[1] as number, w.shape[0]!)) return null;
  const counts = windowCounts(windows, x.shape.slice(2)) as number[];
  const y = winogradConvolution(g, x, w, windows, counts);
  return bias ? g.add(y, perChannel(g, bias, y)) : y;
}
