/** Walks over the values that others are computed from. Ids ascend along dependencies, so sorting by id orders them. */
import { producer, type Body, type Node, type Value } from "./graph.js";

/** Everything a node reads: its inputs, and what its body takes from outside. */
export function dependencies(node: Node): Value[] {
  const own = node.inputs.filter((value) => value !== null);
  return node.body === undefined ? own : [...own, ...capturedBy(node.body)];
}

export interface Limits {
  /** Leave out nodes made before this id; they cannot depend on anything made after it. */
  readonly since?: number;
  /** Do not look at what these are computed from. */
  readonly stopAt?: { has(value: Value): boolean };
}

/** The nodes that `values` need, each after those it reads. */
export function nodesReaching(values: Iterable<Value>, { since = -1, stopAt }: Limits = {}): Node[] {
  const seen = new Set<Node>();
  const open = [...values];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const node = producer(value);
    if (node === null || node.id < since || seen.has(node) || stopAt?.has(value)) continue;
    seen.add(node);
    open.push(...dependencies(node));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The inputs and constants that `values` need, in order of creation. */
export function leavesReaching(values: readonly Value[]): Value[] {
  const leaves = new Set<Value>();
  for (const value of [...values, ...nodesReaching(values).flatMap(dependencies)]) {
    if (producer(value) === null) leaves.add(value);
  }
  return [...leaves].sort((a, b) => a.id - b.id);
}

/** The nodes on some path from `sources` to `values`, in order, and every value they make that depends on a source. */
export function nodesBetween(
  sources: readonly Value[],
  values: readonly Value[],
): { nodes: Node[]; dependent: Set<Value> } {
  const dependent = new Set(sources);
  const since = Math.min(...sources.map(({ id }) => id));
  const nodes = nodesReaching(values, { since }).filter((node) => {
    if (!dependencies(node).some((value) => dependent.has(value))) return false;
    for (const output of node.outputs) dependent.add(output);
    return true;
  });
  return { nodes, dependent };
}

const bodies = new WeakMap<Body, { nodes: Node[]; captured: Value[] }>();

/** The nodes that run inside the body, in order: those that depend on its inputs. */
export const nodesInside = (body: Body): Node[] => analyse(body).nodes;

/** Values from outside that the body reads, constants included. */
export const capturedBy = (body: Body): Value[] => analyse(body).captured;

function analyse(body: Body): { nodes: Node[]; captured: Value[] } {
  let found = bodies.get(body);
  if (found === undefined) {
    const { nodes, dependent } = nodesBetween(body.inputs, body.outputs);
    const read = [...nodes.flatMap(dependencies), ...body.outputs];
    found = { nodes, captured: [...new Set(read.filter((value) => !dependent.has(value)))] };
    bodies.set(body, found);
  }
  return found;
}
