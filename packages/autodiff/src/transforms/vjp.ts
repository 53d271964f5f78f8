/** Reverse mode: adds to a graph the nodes that carry cotangents from outputs back to inputs. */
import type { Builder } from "../builder/builder.js";
import { sameShape, show } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import { describe, type Node, type Value } from "../ir/graph.js";
import { isFloat } from "../ir/tensor.js";
import { nodesBetween } from "../ir/traverse.js";
import { ruleFor } from "../ops/registry.js";
import { title, type Derivative } from "../ops/rule.js";

/**
 * Cotangents of `wrt`: Σ over `of` of (∂of/∂wrt)ᵀ · cotangent. null where structurally zero.
 *
 * @param wrt  Any values, inputs or intermediate; what they are computed from is not looked at.
 * @throws GraphError where an op on the way cannot be differentiated.
 */
export function vjpOf(
  g: Builder,
  of: readonly Value[],
  cotangents: readonly Derivative[],
  wrt: readonly Value[],
): Derivative[] {
  requireFloats("vjp", wrt);
  const { nodes, dependent } = nodesBetween(wrt, of);
  const collected = new Map<Value, Value>();
  const collect = (value: Value, cotangent: Derivative, where: string): void => {
    if (cotangent === null) return;
    requireShape(value, cotangent, where);
    const sum = collected.get(value);
    collected.set(value, sum ? g.add(sum, cotangent) : cotangent);
  };
  of.forEach((value, i) => collect(value, cotangents[i] ?? null, `vjp: the cotangent of ${describe(value)}`));

  for (const node of nodes.reverse()) {
    const given = node.outputs.map((output) => collected.get(output) ?? null);
    if (given.every((cotangent) => cotangent === null)) continue;
    const wanted = node.inputs.map((value) => value !== null && dependent.has(value) && isFloat(value.type));
    pullBack(g, node, given, wanted).forEach((cotangent, i) => {
      if (wanted[i]) collect(node.inputs[i]!, cotangent, `The vjp of ${title(node)}, input ${i},`);
    });
  }
  return wrt.map((value) => collected.get(value) ?? null);
}

function pullBack(
  g: Builder,
  node: Node,
  cotangents: readonly Derivative[],
  wanted: readonly boolean[],
): readonly Derivative[] {
  const rule = ruleFor(node.op);
  if (rule.refuse !== undefined) throw new GraphError(`${title(node)} cannot be differentiated: ${rule.refuse}.`);
  if (!rule.vjp || !wanted.includes(true)) return [];
  const readsAll = rule.vjp.length > 4;
  if (!readsAll && cotangents.slice(1).some((cotangent) => cotangent !== null)) {
    throw new GraphError(`${title(node)}: only its first output can be differentiated.`);
  }
  return g.scope("backward", () => rule.vjp!(g, node, cotangents[0]!, wanted, cotangents));
}

/** Derivatives are with respect to real numbers. */
export function requireFloats(what: string, values: readonly Value[]): void {
  const other = values.find(({ type }) => !isFloat(type));
  if (other) throw new GraphError(`${what}: ${describe(other)} is ${other.type}; only float values have derivatives.`);
}

/** A derivative has the type and shape of what it belongs to; a rule that breaks this is at fault. */
export function requireShape(value: Value, derivative: Value, where: string): void {
  if (derivative.type !== value.type || !sameShape(derivative.shape, value.shape)) {
    throw new GraphError(
      `${where} must be ${value.type} ${show(value.shape)}, got ${derivative.type} ${show(derivative.shape)}.`,
    );
  }
}
