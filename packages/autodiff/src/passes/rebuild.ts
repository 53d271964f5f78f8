/** Computing values anew: with other inputs, other sizes, other ops. Everything is inferred and simplified again. */
import type { Builder } from "../builder/builder.js";
import type { Body, Node, Value } from "../ir/graph.js";
import { dependencies, nodesInside, nodesReaching } from "../ir/traverse.js";

/**
 * What to put in place of a node, given its inputs already rebuilt; null to keep the op. `rebuilt` gives any value that
 * comes before it.
 */
export type Replace = (
  node: Node,
  inputs: readonly (Value | null)[],
  rebuilt: (value: Value) => Value,
) => readonly Value[] | null;

/**
 * The values, computed with `bound` in place of its keys. What does not depend on them is shared, not copied, unless
 * `replace` is given, which sees every node.
 */
export function rebuild(
  g: Builder,
  values: readonly Value[],
  bound: ReadonlyMap<Value, Value>,
  replace?: Replace,
): Value[] {
  const map = new Map(bound);
  const changed = new Set(bound.keys());
  const nodes = nodesReaching(values, { stopAt: bound }).filter((node) => {
    if (!replace && !dependencies(node).some((value) => changed.has(value))) return false;
    for (const output of node.outputs) changed.add(output);
    return true;
  });
  rebuildNodes(g, nodes, map, replace);
  return values.map((value) => map.get(value) ?? value);
}

function rebuildNodes(g: Builder, nodes: readonly Node[], map: Map<Value, Value>, replace: Replace | undefined): void {
  for (const node of nodes) {
    // A value given from outside is not computed.
    if (node.outputs.every((output) => map.has(output))) continue;
    const inputs = node.inputs.map((value) => value && (map.get(value) ?? value));
    const outputs =
      replace?.(node, inputs, (value) => map.get(value) ?? value) ??
      (node.body
        ? rebuildLoop(g, node, node.body, inputs, map, replace)
        : g.nodeOutputs(node.op, inputs, node.attributes));
    node.outputs.forEach((output, i) => {
      const made = outputs[i];
      if (made && !map.has(output)) map.set(output, made);
    });
  }
}

function rebuildLoop(
  g: Builder,
  node: Node,
  body: Body,
  inputs: readonly (Value | null)[],
  map: Map<Value, Value>,
  replace: Replace | undefined,
): readonly Value[] {
  const [step, proceed, ...state] = body.inputs;
  const fresh = [step!, proceed!].map((value) => g.placeholder(nameOf(value), value));
  // The state's types and shapes are those of what comes in.
  fresh.push(...state.map((value, i) => g.placeholder(nameOf(value), inputs[i + 2]!)));
  const inside = new Map(map);
  body.inputs.forEach((value, i) => inside.set(value, fresh[i]!));
  rebuildNodes(g, nodesInside(body), inside, replace);
  const outputs = body.outputs.map((value) => inside.get(value) ?? value);
  const typed = node.outputs.map((output, i) => {
    const made = outputs[i + 1]!;
    const shape = i < state.length ? made.shape : [output.shape[0]!, ...made.shape];
    return { type: made.type, shape };
  });
  return g.makeNode(
    { op: node.op, name: node.name, inputs, attributes: node.attributes, body: { inputs: fresh, outputs } },
    typed,
  ).outputs;
}

const nameOf = (value: Value): string => (value.origin.kind === "input" ? value.origin.name : "state");
