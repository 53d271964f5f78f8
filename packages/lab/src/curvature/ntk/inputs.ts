/** Checks of what a kernel is measured on, and its conversion to tensors. */
import { graphOf, tensor, type Graph, type Tensor } from "@sedge/autodiff";
import { BadInput } from "../../errors.js";
import { sizeOf, type Params } from "../../models/model.js";
import type { DifferentiableModel } from "./tapped-model.js";

/** The model's one data input, row-major [n, …]; or all of them by name, of any type. */
export type ModelInputs = Float32Array | Readonly<Record<string, Tensor>>;

export interface CheckedInputs {
  /** n. */
  readonly examples: number;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Of one example of each input. */
  readonly sizes: Readonly<Record<string, readonly number[]>>;
}

/** @throws BadInput if an input is missing, has the wrong number of elements, or as many examples as no other. */
export function checkInputs(where: string, model: DifferentiableModel, inputs: ModelInputs): CheckedInputs {
  const names = dataInputs(model);
  const tensors = inputs instanceof Float32Array ? soleInput(where, model, names, inputs) : inputs;
  const checked: Record<string, Tensor> = {};
  let examples: number | null = null;
  for (const name of names) {
    const given = tensors[name];
    const { shape, type } = model.graph.inputs[name]!;
    if (given === undefined) throw new BadInput(`${where}: input "${name}" is missing; expected ${names.join(", ")}.`);
    const fits =
      given.shape.length === shape.length &&
      shape.slice(1).every((dim, k) => typeof dim === "string" || dim === given.shape[k + 1]);
    if (!fits)
      throw new BadInput(
        `${where}: input "${name}": expected shape [${shape.join(", ")}], got [${given.shape.join(", ")}].`,
      );
    examples ??= given.shape[0]!;
    if (given.shape[0] !== examples || examples < 1) {
      throw new BadInput(
        `${where}: input "${name}": expected ${Math.max(1, examples)} examples, got ${given.shape[0]}.`,
      );
    }
    checked[name] = given.type === type ? given : tensor(Array.from(given.data, Number), given.shape, type);
  }
  if (examples === null) throw new BadInput(`${where}: the model has no data inputs besides its parameters.`);
  return {
    examples,
    tensors: checked,
    sizes: Object.fromEntries(names.map((name) => [name, checked[name]!.shape.slice(1)])),
  };
}

/** Names of the inputs that are not parameters and that the output needs. */
export function dataInputs({ graph, params }: DifferentiableModel): string[] {
  const own = new Set(params.map(({ name }) => name));
  const { output } = graph.outputs;
  return output ? Object.keys(graphOf({ output }, graph.name).inputs).filter((name) => !own.has(name)) : [];
}

/** Examples `first` … `first + count − 1` of every tensor. */
export function blockOf(
  tensors: Readonly<Record<string, Tensor>>,
  first: number,
  count: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, whole]) => {
      const { data, shape, type } = whole;
      if (count === shape[0]) return [name, whole];
      const size = sizeOf(shape.slice(1));
      const part = data.slice(first * size, (first + count) * size);
      return [name, { data: part, shape: [count, ...shape.slice(1)], type }];
    }),
  );
}

/**
 * The parameters as tensors of the graph's types.
 *
 * @throws BadInput if one is missing, has the wrong number of elements, or is not finite.
 */
export function checkParams(where: string, model: DifferentiableModel, params: Params): Record<string, Tensor> {
  return named(where, model, "parameter", params, (x) => Number.isFinite(x), "finite");
}

/** D^{-1/2} by parameter, as the inputs `root/<param>`. @throws BadInput unless every entry is finite and above 0. */
export function checkPreconditioner(
  where: string,
  model: DifferentiableModel,
  preconditioner: Params,
): Record<string, Tensor> {
  const isGood = (x: number): boolean => x > 0 && x < Infinity;
  const checked = named(where, model, "preconditioner", preconditioner, isGood, "finite and above 0");
  return Object.fromEntries(
    Object.entries(checked).map(([name, { data, shape, type }]) => [
      `root/${name}`,
      tensor(
        Float64Array.from(data as Float32Array, (x) => 1 / Math.sqrt(x)),
        shape,
        type,
      ),
    ]),
  );
}

function named(
  where: string,
  { graph, params: specs }: { readonly graph: Graph; readonly params: DifferentiableModel["params"] },
  what: string,
  values: Params,
  isGood: (x: number) => boolean,
  wanted: string,
): Record<string, Tensor> {
  return Object.fromEntries(
    specs.map(({ name, shape }) => {
      const given = values[name];
      const size = sizeOf(shape);
      if (given?.length !== size) {
        const got = given === undefined ? "nothing" : `${given.length}`;
        throw new BadInput(`${where}: ${what} "${name}": expected ${size} numbers, got ${got}.`);
      }
      // A plain loop: findIndex takes ten times as long, and this looks at every weight of every measurement.
      let bad = 0;
      while (bad < size && isGood(given[bad]!)) bad++;
      if (bad < size) {
        throw new BadInput(
          `${where}: ${what} "${name}": expected ${wanted} numbers, got ${given[bad]} at element ${bad}.`,
        );
      }
      const type = graph.inputs[name]?.type ?? "float32";
      return [name, type === "float32" ? { data: given, shape, type } : tensor(Float64Array.from(given), shape, type)];
    }),
  );
}

function soleInput(
  where: string,
  { graph }: DifferentiableModel,
  names: readonly string[],
  values: Float32Array,
): Record<string, Tensor> {
  const [name] = names;
  if (names.length !== 1 || name === undefined) {
    throw new BadInput(`${where}: the model has the inputs ${names.join(", ")}; expected them by name.`);
  }
  const size = graph.inputs[name]!.shape.slice(1).reduce<number>((all, dim) => all * Number(dim), 1);
  if (!(size > 0) || values.length % size !== 0) {
    throw new BadInput(
      `${where}: input "${name}" of shape [${graph.inputs[name]!.shape.join(", ")}] cannot be filled by ${values.length} numbers.`,
    );
  }
  const shape = [values.length / size, ...graph.inputs[name]!.shape.slice(1).map(Number)];
  return { [name]: tensor(values, shape, "float32") };
}

/** Row-major `[n, …]` for a loss of float targets; a tensor for any other, labels say. */
export type Targets = Float32Array | Tensor;

/**
 * @param outputs  C, of the model: what a flat array of targets has for each example.
 * @throws BadInput if the type or shape is not that of the loss's `y`, a number is not finite, or a label is none of the
 *   classes.
 */
export function checkTargets(where: string, loss: Graph, outputs: number, targets: Targets): Tensor {
  const { shape, type } = loss.inputs["y"]!;
  const classes = Number(loss.inputs["output"]!.shape.at(-1));
  if ("shape" in targets && (targets.type === "int64" || targets.type === "int32")) {
    const labels = Array.from(targets.data, Number);
    const bad = labels.findIndex((label) => !(label >= 0 && label < classes));
    if (bad >= 0) throw new BadInput(`${where}: label ${bad} is ${labels[bad]}; allowed are 0…${classes - 1}.`);
    const isOneHot = targets.shape.length === shape.length - 1 && (type === "float32" || type === "float64");
    if (isOneHot) {
      const rows = new Float64Array(labels.length * classes);
      labels.forEach((label, row) => (rows[row * classes + label] = 1));
      return tensor(rows, [...targets.shape, classes], type);
    }
  } else {
    const values = "shape" in targets ? targets.data : targets;
    for (let k = 0; k < values.length; k++) {
      if (!Number.isFinite(Number(values[k]))) {
        throw new BadInput(`${where}: targets: expected finite numbers, got ${values[k]} at element ${k}.`);
      }
    }
  }
  if (!("shape" in targets)) {
    const own = shape.slice(1).map((dim) => Number(dim));
    const sizes = own.some(Number.isNaN) ? [outputs] : own;
    const examples = targets.length / sizeOf(sizes);
    if (type !== "float32" && type !== "float64") {
      throw new BadInput(`${where}: targets: expected a tensor of type ${type} and shape [${shape.join(", ")}].`);
    }
    if (!Number.isInteger(examples)) {
      throw new BadInput(`${where}: targets: expected a multiple of ${sizeOf(sizes)} numbers, got ${targets.length}.`);
    }
    return tensor(type === "float32" ? targets : Float64Array.from(targets), [examples, ...sizes], type);
  }
  const fits =
    targets.shape.length === shape.length &&
    shape.every((dim, k) => typeof dim === "string" || dim === targets.shape[k]);
  if (!fits || !Number.isInteger(targets.shape[0])) {
    throw new BadInput(`${where}: targets: expected shape [${shape.join(", ")}], got [${targets.shape.join(", ")}].`);
  }
  return targets.type === type ? targets : tensor(Array.from(targets.data, Number), targets.shape, type);
}
