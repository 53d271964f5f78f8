/** One side of a kernel: a block of examples and of directions, with each parameter's Jacobian on them. */
import type { Builder, Dim, Value } from "@sedge/autodiff";
import { sizeOf } from "../../models/model.js";
import { overDirections } from "./directions.js";
import { genericJacobians, genericOutput } from "./generic.js";
import type { ParamJacobian } from "./jacobian.js";
import { arrayOf, fixedParts, jacobianOf, movingParts, partOf } from "./layered.js";
import type { SideValues } from "./rules/rule.js";
import { nameOf, type TappedModel } from "./tapped-model.js";

/** A model's parameters in a graph. */
export interface ParamValues {
  readonly values: Readonly<Record<string, Value>>;
  /** D^{-1/2} by parameter; empty without a preconditioner. */
  readonly roots: ReadonlyMap<string, Value>;
}

/** The parameters of a tapped model, and with a preconditioner its roots, `root/<param>`, as inputs of a graph. */
export function paramInputs(b: Builder, { graph, data }: TappedModel, isPreconditioned: boolean): ParamValues {
  const names = Object.keys(graph.inputs).filter((name) => !data.includes(name));
  const declare = (prefix: string) =>
    names.map((name) => [name, b.input(prefix + name, graph.inputs[name]!.shape, graph.inputs[name]!.type)] as const);
  return { values: Object.fromEntries(declare("")), roots: isPreconditioned ? new Map(declare("root/")) : new Map() };
}

/** The forward pass of a side. */
export interface ForwardPass {
  /** [n, …]. */
  readonly output: Value;
  readonly values: SideValues;
  readonly data: Readonly<Record<string, Value>>;
}

/**
 * Declares a side's data, `<prefix>/<data input>` [n, …], and runs the model on it.
 *
 * @param examples  n, or a symbol of it.
 */
export function forwardPass(
  b: Builder,
  tapped: TappedModel,
  params: ParamValues,
  prefix: string,
  examples: Dim,
): ForwardPass {
  const { graph, batch } = tapped;
  const data = Object.fromEntries(
    tapped.data.map((name) => {
      const { shape, type } = graph.inputs[name]!;
      return [name, b.input(`${prefix}/${name}`, [examples, ...shape.slice(1)], type)];
    }),
  );
  const values = batch === null ? {} : b.call(graph, { ...params.values, ...data });
  const output = values["output"] ?? genericOutput(b, tapped, { data, params: params.values, examples });
  return { output, data, values: { of: (value) => values[nameOf(value)]!, examples } };
}

/** The Jacobians of the parameters without layer rules, for directions [S, n, …]. */
export function otherJacobians(
  b: Builder,
  tapped: TappedModel,
  params: ParamValues,
  { data, values: { examples } }: ForwardPass,
  directions: Value,
): ParamJacobian[] {
  if (tapped.generic.length === 0) return [];
  const values = genericJacobians(b, tapped, { data, params: params.values, examples }, directions);
  return tapped.generic.map(({ name, shape }) => {
    const root = params.roots.get(name);
    return {
      param: name,
      size: sizeOf(shape),
      parts: [{ kind: "array", value: values.get(name)! }],
      root: root ? b.reshape(root, [sizeOf(shape)]) : null,
    };
  });
}

export interface SideOptions {
  /** Of the inputs of this side: its data, and `<prefix>/directions` [S, n, …]. */
  readonly prefix: string;
  /** S. */
  readonly directions: number;
  /** Whether gradients are formed where the cotangents are, because they are smaller than what makes them. */
  readonly isFormed: (param: string) => boolean;
  /** n, where it is fixed. */
  readonly examples?: number | undefined;
  /** A data input to which the directions are pulled back. */
  readonly pullTo?: string | null;
}

export interface Side {
  readonly output: Value;
  readonly jacobians: readonly ParamJacobian[];
  /** The directions pulled back, [S, n, …]. */
  readonly pulled: Value | null;
}

export function buildSide(b: Builder, tapped: TappedModel, params: ParamValues, options: SideOptions): Side {
  const { prefix, isFormed, pullTo = null } = options;
  const pass = forwardPass(b, tapped, params, prefix, options.examples ?? `${prefix}Examples`);
  const { output, values } = pass;
  const { shape, type } = tapped.graph.outputs["output"]!;
  const directions = b.input(`${prefix}/directions`, [options.directions, values.examples, ...shape.slice(1)], type);
  const { layered } = tapped;
  const fixed = fixedParts(b, layered, values);
  const below = pullTo === null ? null : pass.data[pullTo]!;
  const moved = overDirections(b, directions, (direction) => {
    const { moving, pulled } = movingParts(b, layered, values, output, direction, below);
    const own = moving.flatMap((parts, k) => {
      const { param, uses } = layered[k]!;
      if (!isFormed(param.name)) return parts;
      const arrays = uses.map((use, i) => arrayOf(b, partOf(use, fixed.get(use)!, parts[i]!)));
      return [arrays.reduce((left, right) => b.add(left, right))];
    });
    return pulled ? [...own, pulled] : own;
  });
  let next = 0;
  const found = layered.map((entry) => {
    const parts = isFormed(entry.param.name)
      ? [{ kind: "array", value: moved[next++]! } as const]
      : entry.uses.map((use) => partOf(use, fixed.get(use)!, moved[next++]!));
    return jacobianOf(b, entry, parts, params.roots.get(entry.param.name));
  });
  const pulled = below && moved[next]!;
  return { output, pulled, jacobians: [...found, ...otherJacobians(b, tapped, params, pass, directions)] };
}
