/** Transforms of whole graphs: each adds named inputs and outputs and keeps the graph's own outputs. */
import { Builder, graphOf } from "../builder/builder.js";
import { addDims, sizeOf, type Dim } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import type { Graph, Value } from "../ir/graph.js";
import { isFloat } from "../ir/tensor.js";
import { dependencies, nodesBetween } from "../ir/traverse.js";
import { ruleFor } from "../ops/registry.js";

export interface DerivativeOptions {
  /** The output to differentiate. */
  readonly of: string;
  /** The inputs to differentiate with respect to. */
  readonly wrt: readonly string[];
}

export interface ProductOptions extends DerivativeOptions {
  /**
   * How vectors enter and products leave.
   * - "named" (default): inputs "vector/W1", … and outputs "product/W1", …
   * - "flat": one input "vector" [P] and output "product" [P], all of `wrt` end to end in order
   * - "stacked": input "vectors" [k, P] and output "products" [k, P], in one Loop that computes forward and backward
   *   pass of the model once
   */
  readonly vectors?: "named" | "flat" | "stacked";
}

export interface GaussNewtonOptions extends ProductOptions {
  /** The output at which the model ends and the loss begins. */
  readonly output: string;
}

/**
 * Reverse mode. Adds an output "gradient/<name>" for each of `wrt`: zeros where `of` does not depend on it.
 * Where `of` is not a scalar, adds an input "cotangent/<of>" of its shape.
 */
export function vjp(graph: Graph, { of, wrt }: DerivativeOptions): Graph {
  const g = new Builder(graph);
  const value = outputOf("vjp", graph, of);
  const sources = sourcesOf("vjp", graph, wrt);
  const cotangent =
    value.shape.length === 0 ? g.full([], 1, value) : g.input(`cotangent/${of}`, value.shape, value.type);
  const cotangents = g.vjp([value], [cotangent], sources);
  return extend(
    graph,
    named(
      "gradient",
      wrt,
      cotangents.map((each, i) => each ?? g.zerosLike(sources[i]!)),
    ),
  );
}

/** Forward mode. Adds an input "tangent/<name>" for each of `wrt`, and an output "tangent/<of>". */
export function jvp(graph: Graph, { of, wrt }: DerivativeOptions): Graph {
  const g = new Builder(graph);
  const value = outputOf("jvp", graph, of);
  const sources = sourcesOf("jvp", graph, wrt);
  const tangents = wrt.map((name, i) => g.input(`tangent/${name}`, sources[i]!.shape, sources[i]!.type));
  const [tangent] = g.jvp([value], sources, tangents);
  return extend(graph, { [`tangent/${of}`]: tangent ?? g.zerosLike(value) });
}

/** Adds H·v, H the Hessian of a scalar output. */
export function hessianVectorProduct(graph: Graph, { of, wrt, vectors = "named" }: ProductOptions): Graph {
  const g = new Builder(graph);
  const loss = outputOf("hessianVectorProduct", graph, of);
  const sources = sourcesOf("hessianVectorProduct", graph, wrt);
  return extend(
    graph,
    products(g, wrt, sources, vectors, (v) => g.hessianVectorProduct(loss, sources, v)),
  );
}

/** Adds Jᵀ·H_ℓ·J·v: J the Jacobian of `output`, H_ℓ the Hessian of the loss `of` as a function of it. */
export function gaussNewtonVectorProduct(
  graph: Graph,
  { of, output, wrt, vectors = "named" }: GaussNewtonOptions,
): Graph {
  const g = new Builder(graph);
  const loss = outputOf("gaussNewtonVectorProduct", graph, of);
  const cut = outputOf("gaussNewtonVectorProduct", graph, output);
  const sources = sourcesOf("gaussNewtonVectorProduct", graph, wrt);
  return extend(
    graph,
    products(g, wrt, sources, vectors, (v) =>
      g.gaussNewtonVectorProduct({ loss, output: cut, wrt: sources, vectors: v }),
    ),
  );
}

/**
 * Whether an output has a derivative by an input. Where it depends on it not at all, or only through steps (comparisons,
 * roundings, whole numbers), the gradient is zero whatever the numbers.
 */
export function dependsOn(graph: Graph, of: string, input: string): boolean {
  const value = outputOf("dependsOn", graph, of);
  const source = graph.inputs[input];
  if (source === undefined) return false;
  const reached = new Set([source]);
  for (const node of nodesBetween([source], [value]).nodes) {
    const rule = ruleFor(node.op);
    const passes = rule.vjp !== undefined || rule.refuse !== undefined || node.body !== undefined;
    if (!passes || !dependencies(node).some((each) => reached.has(each))) continue;
    for (const output of node.outputs) if (isFloat(output.type)) reached.add(output);
  }
  return reached.has(value);
}

function products(
  g: Builder,
  names: readonly string[],
  sources: readonly Value[],
  vectors: "named" | "flat" | "stacked",
  apply: (vectors: readonly Value[]) => Value[],
): Record<string, Value> {
  if (vectors === "named") {
    return named(
      "product",
      names,
      apply(names.map((name, i) => g.input(`vector/${name}`, sources[i]!.shape, sources[i]!.type))),
    );
  }
  const shapes = sources.map(({ shape }) => shape);
  const size = shapes.map(sizeOf).reduce<Dim>(addDims, 0);
  const type = sources[0]!.type;
  const applyFlat = (vector: Value): Value => g.pack(apply(g.unpack(vector, shapes)));
  if (vectors === "flat") return { product: applyFlat(g.input("vector", [size], type)) };
  const stack = g.input("vectors", ["vectorCount", size], type);
  const steps = g.squeeze(g.dimension("vectorCount"), [0]);
  const { scan } = g.loop({
    steps,
    state: {},
    body: ({ step }) => ({ state: {}, scan: { products: applyFlat(g.gather(stack, step)) } }),
  });
  return { products: scan.products };
}

const named = (prefix: string, names: readonly string[], values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(names.map((name, i) => [`${prefix}/${name}`, values[i]!]));

const extend = (graph: Graph, outputs: Record<string, Value>): Graph =>
  graphOf({ ...graph.outputs, ...outputs }, graph.name, graph.inputs);

export function outputOf(what: string, graph: Graph, name: string): Value {
  return graph.outputs[name] ?? missing(what, "output", name, graph.outputs);
}

/** The inputs of these names. */
export function inputsOf(what: string, graph: Graph, names: readonly string[]): Value[] {
  return names.map((name) => graph.inputs[name] ?? missing(what, "input", name, graph.inputs));
}

/** The inputs to differentiate by, of which there has to be one. */
function sourcesOf(what: string, graph: Graph, wrt: readonly string[]): Value[] {
  if (wrt.length === 0) {
    const names = Object.keys(graph.inputs).join(", ");
    throw new GraphError(
      `${what}: wrt names no input, so there is nothing to differentiate by; the graph has ${names}.`,
    );
  }
  return inputsOf(what, graph, wrt);
}

function missing(what: string, kind: string, name: string, present: Readonly<Record<string, Value>>): never {
  throw new GraphError(`${what}: the graph has no ${kind} "${name}"; it has ${Object.keys(present).join(", ")}.`);
}
