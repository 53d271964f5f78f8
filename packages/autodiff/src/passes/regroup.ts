/** Regroups products where some factors stay the same and others vary, so that the former are multiplied once. */
import { Builder, graphOf } from "../builder/builder.js";
import { producer, type Graph, type Node, type Value } from "../ir/graph.js";
import { nodesBetween, nodesInside, nodesReaching } from "../ir/traverse.js";
import { countUses } from "./fuse.js";
import { rebuild } from "./rebuild.js";

/**
 * In every loop body, a·(v·b) with a and b from outside becomes v·(a·b): one product in the body where there were two.
 * Second derivatives are full of these, the forward pass outside and the tangent inside. The same outside of loops, for
 * a and b that do not depend on `sources`.
 */
export function regroup(graph: Graph, sources: readonly Value[] = []): Graph {
  const values = Object.values(graph.outputs);
  const varying = varyingIn(values);
  if (sources.length > 0) {
    const { nodes, dependent } = nodesBetween(sources, values);
    nodes.forEach((node) => varying.set(node, dependent));
  }
  if (varying.size === 0) return graph;
  const uses = countUses(values);
  const g = new Builder(graph);
  const rebuilt = rebuild(g, values, new Map(), (node, _, mapped) => {
    const inside = varying.get(node);
    if (node.op !== "Mul" || inside === undefined) return null;
    const factors = factorsOf(node, inside, uses);
    const fixed = factors.values.filter((value) => !inside.has(value));
    if (fixed.length < 2 && !(factors.negative && fixed.length === 1)) return null;
    const product = (list: readonly Value[]): Value => list.map(mapped).reduce((left, right) => g.mul(left, right));
    const constant = factors.negative ? g.neg(product(fixed)) : product(fixed);
    return [g.mul(product(factors.values.filter((value) => inside.has(value))), constant)];
  });
  const names = Object.keys(graph.outputs);
  return graphOf(Object.fromEntries(names.map((name, i) => [name, rebuilt[i]!])), graph.name, graph.inputs);
}

/** The factors of a product, those of factors that are used only here included. */
function factorsOf(
  node: Node,
  inside: ReadonlySet<Value>,
  uses: ReadonlyMap<Value, number>,
): { values: Value[]; negative: boolean } {
  const values: Value[] = [];
  let negative = false;
  const take = (value: Value): void => {
    const made = producer(value);
    const open = made !== null && inside.has(value) && uses.get(value) === 1;
    if (open && made.op === "Mul") made.inputs.forEach((input) => take(input!));
    else if (open && made.op === "Neg") {
      negative = !negative;
      take(made.inputs[0]!);
    } else values.push(value);
  };
  node.inputs.forEach((input) => take(input!));
  return { values, negative };
}

/** For each node in a loop body, the values that vary there. */
function varyingIn(values: readonly Value[]): Map<Node, ReadonlySet<Value>> {
  const found = new Map<Node, ReadonlySet<Value>>();
  const visit = (nodes: readonly Node[]): void => {
    for (const { body } of nodes) {
      if (body === undefined) continue;
      const { dependent } = nodesBetween(body.inputs, body.outputs);
      const inside = nodesInside(body);
      inside.forEach((node) => found.set(node, dependent));
      visit(inside);
    }
  };
  visit(nodesReaching(values));
  return found;
}
