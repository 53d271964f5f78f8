/** Forward mode: adds to a graph the nodes that carry tangents from inputs on to outputs. */
import type { Builder } from "../builder/builder.js";
import { GraphError } from "../ir/errors.js";
import { describe, type Node, type Value } from "../ir/graph.js";
import { isFloat } from "../ir/tensor.js";
import { nodesBetween } from "../ir/traverse.js";
import { ruleFor } from "../ops/registry.js";
import { title, type Derivative } from "../ops/rule.js";
import { requireFloats, requireShape } from "./vjp.js";

/**
 * Tangents of `of`: (∂of/∂wrt) · tangents. null where structurally zero, and nothing is computed for those.
 *
 * @throws GraphError where an op on the way cannot be differentiated.
 */
export function jvpOf(
  g: Builder,
  of: readonly Value[],
  wrt: readonly Value[],
  tangents: readonly Derivative[],
): Derivative[] {
  requireFloats("jvp", wrt);
  const known = new Map<Value, Derivative>();
  wrt.forEach((value, i) => {
    const tangent = tangents[i];
    if (!tangent) return;
    requireShape(value, tangent, `jvp: the tangent of ${describe(value)}`);
    known.set(value, tangent);
  });
  if (known.size === 0) return of.map(() => null);

  /** Further outputs of ops that differentiate only their first. */
  const unknown = new Set<Value>();
  for (const node of nodesBetween([...known.keys()], of).nodes) {
    const given = node.inputs.map((value) => {
      if (value && unknown.has(value))
        throw new GraphError(`${title(node)}: its input ${describe(value)} is an output that has no derivative.`);
      return (value && known.get(value)) ?? null;
    });
    const made = pushForward(g, node, given);
    node.outputs.forEach((output, i) => {
      const tangent = made[i];
      // A value that is itself one of `wrt` keeps the tangent it was given.
      if (known.has(output)) return;
      if (tangent === undefined && made.length > 0 && isFloat(output.type)) unknown.add(output);
      if (!tangent) return;
      requireShape(output, tangent, `The jvp of ${title(node)}`);
      known.set(output, tangent);
    });
  }
  return of.map((value) => known.get(value) ?? null);
}

function pushForward(g: Builder, node: Node, tangents: readonly Derivative[]): readonly Derivative[] {
  if (tangents.every((tangent) => tangent === null) && !node.body) return [];
  const rule = ruleFor(node.op);
  if (rule.refuse !== undefined) throw new GraphError(`${title(node)} cannot be differentiated: ${rule.refuse}.`);
  if (!rule.jvp) return [];
  const made = g.scope("tangent", () => rule.jvp!(g, node, tangents));
  return Array.isArray(made) ? (made as readonly Derivative[]) : [made as Derivative];
}
