import {
  exampleAxis,
  graph as buildGraph,
  graphOf,
  parameterUses,
  type ExampleAxis,
  type Graph,
  type ParameterUse,
  type Value,
} from "@sedge/autodiff";
import { BadInput } from "../../errors.js";
import type { ParamSpec } from "../../models/model.js";

/** What is differentiated: a lab model, or an imported graph. */
export interface DifferentiableModel {
  /** Output `output` [n, …]; inputs the parameters, and data with the examples along the first axis. */
  readonly graph: Graph;
  readonly params: readonly ParamSpec[];
  /** C, the numbers in one example's output. */
  readonly outputs: number;
}

/** A use that has a layer rule, and where its examples are. */
export type PlacedUse = Exclude<ParameterUse, { kind: "other" }> & { readonly place: ExampleAxis };

/** A parameter all of whose uses have layer rules. */
export interface LayeredParam {
  readonly param: ParamSpec;
  readonly uses: readonly PlacedUse[];
}

/** A model with its layers found. */
export interface TappedModel {
  /** Output `output`, and `use/<k>` with the values that the uses name; the batch is symbolic unless `batch` is null. */
  readonly graph: Graph;
  /** Names of the data inputs. */
  readonly data: readonly string[];
  /** The symbol of the number of examples; null where the model was made for a fixed number. */
  readonly batch: string | null;
  readonly layered: readonly LayeredParam[];
  /** Parameters with a use that has no rule, or of which it is not known which example it belongs to. */
  readonly generic: readonly ParamSpec[];
  /** Parameters on which the output does not depend. */
  readonly idle: readonly ParamSpec[];
}

/**
 * Finds the layers of a model.
 *
 * @param sizes  Of one example of each data input, without the batch axis: they fix the free sizes there are besides the
 *               batch, such as a number of tokens.
 * @throws BadInput if there is no output `output` with the examples along its first axis, or a data input has none.
 */
export function tapModel(model: DifferentiableModel, sizes: Readonly<Record<string, readonly number[]>>): TappedModel {
  const graph = withSizes(model, sizes);
  const output = graph.outputs["output"]!;
  const [first] = output.shape;
  const batch = typeof first === "string" ? first : null;
  const names = model.params.map(({ name }) => name);
  const data = Object.keys(graph.inputs).filter((name) => !names.includes(name));
  const values: Record<string, Value> = { output };
  const layered: LayeredParam[] = [];
  const generic: ParamSpec[] = [];
  const idle: ParamSpec[] = [];
  for (const param of model.params) {
    const isNeeded = param.name in graph.inputs;
    const found = isNeeded ? parameterUses(graph, { of: "output", params: [param.name] }) : [];
    const uses = batch === null ? null : placedUses(param, found, batch);
    if (found.length === 0) idle.push(param);
    else if (uses === null) generic.push(param);
    else layered.push({ param, uses });
  }
  for (const { uses } of layered) {
    for (const use of uses) for (const value of valuesOf(use)) values[nameOf(value)] = value;
  }
  return { graph: graphOf(values, graph.name, graph.inputs), data, batch, layered, generic, idle };
}

/** The values that a use names: what comes in, where anything does, and what goes out. */
export function valuesOf(use: PlacedUse): Value[] {
  if (use.kind === "bias") return [use.output];
  return [use.kind === "embedding" ? use.indices : use.input, use.output];
}

/** The output of a tapped graph that holds a value of it. */
export const nameOf = (value: Value): string => `use/${value.id}`;

function placedUses(param: ParamSpec, uses: readonly ParameterUse[], batch: string): PlacedUse[] | null {
  const placed: PlacedUse[] = [];
  for (const use of uses) {
    if (use.kind === "other") return null;
    const place = exampleAxis(use.output, batch);
    if (place === null || !isTakenAlong(use, place)) return null;
    const sizes = use.output.shape.filter((_, axis) => axis !== place.axis);
    if ([...sizes, place.before, place.after].some((size) => typeof size !== "number")) return null;
    placed.push({ ...use, place });
  }
  return areAlike(param, placed) ? placed : null;
}

/** Whether the gradients of several uses can be added: all are of one matrix, or of its elements in the same order. */
function areAlike(param: ParamSpec, uses: readonly PlacedUse[]): boolean {
  const layouts = uses.map((use): string | number | undefined => {
    if (use.kind === "dense") return Number(use.transposed ? use.output.shape.at(-1) : use.input.shape.at(-1));
    if (use.kind === "embedding") return param.shape.length === 2 ? param.shape[0] : "table";
    return use.kind === "convolution" ? "taps" : undefined;
  });
  const matrices = new Set(layouts.filter((layout) => layout !== undefined));
  return uses.length === 1 || (matrices.size <= 1 && (!matrices.has("taps") || !layouts.includes(undefined)));
}

/** Whether the use is one of every example: the axis of the examples is not one that the parameter has or multiplies. */
function isTakenAlong(use: Exclude<ParameterUse, { kind: "other" }>, { axis }: ExampleAxis): boolean {
  const rank = use.output.shape.length;
  switch (use.kind) {
    case "dense":
      return axis < rank - 1 && use.input.shape.length === rank;
    case "convolution":
      return axis === 0;
    case "embedding":
      return axis < use.indices.shape.length;
    case "bias":
    case "scale": {
      const own = axis - (rank - use.shape.length);
      return own < 0 || use.shape[own] === 1;
    }
  }
}

function withSizes(model: DifferentiableModel, sizes: Readonly<Record<string, readonly number[]>>): Graph {
  const output = model.graph.outputs["output"];
  if (output === undefined || output.shape.length === 0) {
    throw new BadInput(
      `ntk: expected a model with an output "output" [n, …], got ${Object.keys(model.graph.outputs).join(", ")}.`,
    );
  }
  const graph = graphOf({ output }, model.graph.name); // with the inputs that the output needs, and no others
  const params = new Set(model.params.map(({ name }) => name));
  const isSettled = Object.entries(graph.inputs).every(
    ([name, { shape }]) => params.has(name) || shape.slice(1).every((dim) => typeof dim === "number"),
  );
  if (isSettled) return graph;
  return buildGraph(
    (b) => {
      const inputs = Object.entries(graph.inputs).map(([name, { shape, type }]) => {
        const settled = params.has(name) || !sizes[name] ? shape : [shape[0]!, ...sizes[name]];
        return [name, b.input(name, settled, type)] as const;
      });
      return { output: b.call(graph, Object.fromEntries(inputs))["output"]! };
    },
    { name: graph.name },
  );
}
