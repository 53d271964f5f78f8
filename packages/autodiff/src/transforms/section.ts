/** A part of a graph as a graph of its own. */
import { Builder, graphOf } from "../builder/builder.js";
import { GraphError } from "../ir/errors.js";
import type { Graph, Value } from "../ir/graph.js";
import { rebuild } from "../passes/rebuild.js";

export interface SectionOptions {
  /** Values of the graph that the section is given, by the names of its inputs for them. */
  readonly from: Readonly<Record<string, Value>>;
  /** Values of the graph that it computes, by the names of its outputs for them. */
  readonly to: Readonly<Record<string, Value>>;
}

/**
 * What computes some values of a graph from others. What does not follow from the latter is computed from the graph's own
 * inputs, which keep their names.
 *
 * @throws GraphError if an input of the graph already has one of the new names.
 */
export function section(graph: Graph, { from, to }: SectionOptions): Graph {
  const taken = Object.keys(from).find((name) => name in graph.inputs);
  if (taken !== undefined) throw new GraphError(`section: ${graph.name} has an input "${taken}" already.`);
  const g = new Builder(graph);
  const bound = new Map(Object.entries(from).map(([name, value]) => [value, g.input(name, value.shape, value.type)]));
  const values = rebuild(g, Object.values(to), bound);
  return graphOf(Object.fromEntries(Object.keys(to).map((name, i) => [name, values[i]!])), `${graph.name}, section`);
}
