/** Computing once what stays the same over many runs. */
import { Builder, graphOf } from "../builder/builder.js";
import { producer, type Graph, type Value } from "../ir/graph.js";
import { dependencies, nodesBetween } from "../ir/traverse.js";
import { factor } from "../passes/factor.js";
import { rebuild } from "../passes/rebuild.js";
import { regroup } from "../passes/regroup.js";
import { inputsOf } from "./graphs.js";

export interface StagesOptions {
  /** The inputs that change from run to run. */
  readonly varying: readonly string[];
}

export interface Stages {
  /** Computes "kept/0", "kept/1" …, and the outputs that do not depend on the varying inputs. */
  readonly once: Graph;
  /** The other outputs, from the varying inputs, what was kept, and those of the other inputs that it reads itself. */
  readonly each: Graph;
}

/**
 * Cuts a graph in two where it begins to depend on some inputs. The products of one Hessian with many vectors, one after
 * another, need the forward and backward pass of the model only once:
 *
 *     const { once, each } = stages(hessianVectorProduct(model, { of, wrt, vectors: "flat" }), { varying: ["vector"] });
 *     const kept = await (await compile(once)).run(feeds);
 *     const product = await compile(each);
 *     await product.run({ ...feeds, ...kept, vector });     // as often as wanted
 *
 * Products are regrouped first, so that factors which stay the same are multiplied in `once`. Shapes, and views of
 * inputs, are not worth keeping and are computed again.
 *
 * @throws GraphError for names that are no inputs.
 */
export function stages(graph: Graph, { varying }: StagesOptions): Stages {
  const sources = inputsOf("stages", graph, varying);
  const grouped = regroup(factor(graph), sources);
  const entries = Object.entries(grouped.outputs);
  const { nodes, dependent } = nodesBetween(sources, Object.values(grouped.outputs));
  const [moving, still] = [true, false].map((moves) => entries.filter(([, value]) => dependent.has(value) === moves));

  const kept = new Set<Value>();
  const keep = (value: Value): void => {
    if (producer(value) === null || dependent.has(value)) return;
    const again = isView(value) ? dependencies(producer(value)!) : null;
    if (again === null) kept.add(value);
    else again.forEach(keep);
  };
  nodes.flatMap(dependencies).forEach(keep);

  const g = new Builder(graph);
  const bound = new Map<Value, Value>();
  for (const value of kept) bound.set(value, g.input(`kept/${bound.size}`, value.shape, value.type));
  const values = rebuild(
    g,
    moving!.map(([, value]) => value),
    bound,
  );
  const onceOutputs = [...still!, ...[...kept].map((value, i): [string, Value] => [`kept/${i}`, value])];
  return {
    once: graphOf(Object.fromEntries(onceOutputs), `${graph.name}, once`),
    each: graphOf(Object.fromEntries(moving!.map(([name], i) => [name, values[i]!])), `${graph.name}, each`),
  };
}

/** Ops that look at their input from another side, or only at its shape: computing them costs less than keeping them. */
const views = new Set(["Shape", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);

function isView(value: Value): boolean {
  const node = producer(value)!;
  const whole = value.type === "int64" && node.inputs.every((input) => input === null || input.type === "int64");
  if (!whole && !views.has(node.op)) return false;
  return node.inputs.every((input) => input === null || producer(input) === null || isView(input));
}
