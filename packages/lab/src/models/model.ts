import type { Builder, Graph, Value } from "@sedge/autodiff";
import type { Random } from "@sedge/linalg";

/** A parameter array of a model. */
export interface ParamSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Values of a model's parameters by name, each row-major in its spec's shape. */
export type Params = Readonly<Record<string, Float32Array>>;

/**
 * Outputs [runs, batch, C] of many sets of parameters.
 *
 * @param x        [runs, batch, inputs]: each set has inputs of its own.
 * @param params   By name, each [runs, ...shape].
 * @param product  x·W of the first layer, [runs, batch, width], where it is known already.
 */
export type StackedModel = (b: Builder, x: Value, params: Readonly<Record<string, Value>>, product?: Value) => Value;

/** A function with parameters, before any loss. */
export interface Model {
  /** One line for people: `mlp 784-128-128-10, tanh`. */
  readonly description: string;
  /** Shape of one input. A data set fits if its inputs have as many numbers. */
  readonly inputShape: readonly number[];
  /** C, outputs for each example. */
  readonly outputs: number;
  /** Inputs `x` [batch, ...inputShape], every parameter and every statistic; output `output` [batch, C]. */
  readonly graph: Graph;
  /**
   * Running means and variances of batch normalisation: inputs of `graph` that are no parameters, so that an example's
   * output does not depend on the others and every derivative is that of a mean over examples. Default none.
   */
  readonly statistics?: readonly ParamSpec[];
  /**
   * What a training step differentiates where that is not `graph`: normalised by the batch's own statistics, which come
   * out as `batch/NAME` for every statistic NAME.
   */
  readonly trainingGraph?: Graph;
  /**
   * The same function for many sets of parameters at once, in a graph under construction. Only of models that run
   * faster so.
   */
  readonly stacked?: StackedModel;
  /** In the order in which they are laid end to end wherever all parameters are one vector. */
  readonly params: readonly ParamSpec[];
  /** P, the number of trained numbers. */
  readonly paramCount: number;
  /** Seeded initial values, of statistics too. Each parameter draws from its own fork, so none depends on the others' sizes. */
  initialise(random: Random): Params;
}

/** The product of an array's axes: how many numbers it holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/** All parameters end to end, as one vector [P]. */
export function flattenParams(specs: readonly ParamSpec[], params: Params): Float32Array {
  const flat = new Float32Array(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let offset = 0;
  for (const { name, shape } of specs) {
    flat.set(params[name]!, offset);
    offset += sizeOf(shape);
  }
  return flat;
}

/** A vector [P] cut into a model's parameters: the inverse of `flattenParams`. The pieces are copies. */
export function unflattenParams(specs: readonly ParamSpec[], flat: Float32Array): Params {
  const params: Record<string, Float32Array> = {};
  let offset = 0;
  for (const { name, shape } of specs) {
    params[name] = flat.slice(offset, offset + sizeOf(shape));
    offset += sizeOf(shape);
  }
  return params;
}

/** A copy that shares no memory. */
export function copyParams(params: Params): Params {
  return Object.fromEntries(Object.entries(params).map(([name, values]) => [name, values.slice()]));
}
