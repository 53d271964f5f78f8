import { readFileSync } from "node:fs";
import { graph, OnnxFileError, type Dim, type Graph, type ImportedModel, type Value } from "@sedge/autodiff";
import { importOnnxFile } from "@sedge/autodiff/node";
import { decodeSafetensors, type TensorFile } from "../checkpoint/safetensors.js";
import type { DifferentiableModel } from "../curvature/ntk/tapped-model.js";
import { BadInput } from "../errors.js";
import { sizeOf, type Params, type ParamSpec } from "./model.js";

export interface OnnxModelOptions {
  /** A safetensors file with values for the parameters, and for running statistics, by the names in the model. */
  readonly weights?: string | undefined;
  /** Which output to take, where there are several and none is called `output` or `logits`. */
  readonly output?: string | undefined;
  /** float16 and bfloat16 weights are refused unless they are to be read as float32. Default false. */
  readonly readHalf?: boolean | undefined;
  /** Training-mode BatchNormalization and Dropout are refused unless they are to be read as in evaluation. Default false. */
  readonly evaluationMode?: boolean | undefined;
}

/** A data input: its name in the file and the shape of one example, free sizes as names. */
export interface DataInput {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** An ONNX file as a function of parameters and of its data inputs; sizes besides the batch may still be free. */
export interface OnnxModelFile {
  /** The first of the data inputs, which most models have one of. */
  readonly input: DataInput;
  /** All of them, in the file's order: token indices and their mask, for instance. */
  readonly inputs: readonly DataInput[];
  /** The output that is taken, and the shape of one example of it. */
  readonly output: { readonly name: string; readonly shape: readonly Dim[] };
  /**
   * The model for examples of one shape, which fixes whatever sizes are free.
   *
   * @param exampleShape  Of the one data input; of several, each by its name.
   * @throws BadInput naming both shapes, if they do not fit together, or an input that has none.
   */
  fit(exampleShape: readonly number[] | Readonly<Record<string, readonly number[]>>): OnnxModel;
}

/**
 * A model read from a file. Its graph has the inputs `x` [batch, ...inputShape] and the parameters, and the output `output`.
 * Of a model with several data inputs, `x` [batch, sum of their sizes] has them one after the other, each flat, in the file's
 * order. Whatever is an integer in the file is given as a float: exact up to 2²⁴.
 */
export interface OnnxModel extends DifferentiableModel {
  readonly description: string;
  readonly inputShape: readonly number[];
  /** Shape of one example's output; `outputs` is its product. */
  readonly outputShape: readonly number[];
  readonly paramCount: number;
  readonly values: Params;
  /** What a reader of measurements should know: parameters that do nothing, initializers that are constants. */
  readonly notes: readonly string[];
}

/** Names that an objective has for its own. */
const taken: ReadonlySet<string> = new Set(["x", "y", "output", "loss", "vector", "product"]);
const named = (name: string): string => (taken.has(name) ? `param/${name}` : name);

/**
 * Reads an ONNX model: finds its data inputs, its batch axis, its output and its parameters.
 *
 * @throws BadInput in one line: not ONNX, operators without a rule (all of them), no data input, a batch size that is
 *   fixed in the file, weights that do not fit or are not finite.
 */
export function modelFromOnnx(path: string, options: OnnxModelOptions = {}): OnnxModelFile {
  const first = readModel(path, options);
  const names = dataInputs(path, first);
  const shapesOf = ({ graph: { inputs } }: ImportedModel) =>
    Object.fromEntries(names.map((name) => [name, inputs[name]!.shape]));
  const axes = new Set(Object.values(shapesOf(first)).map(([axis]) => axis));
  const isFree = axes.size === 1 && typeof [...axes][0] === "string";
  const freed = isFree ? first : withFreeBatch(path, options, first, shapesOf(first));
  const stored = options.weights === undefined ? undefined : readWeights(options.weights, freed);
  const statistics = Object.keys(freed.constants).filter((constant) => constant in (stored?.tensors ?? {}));
  const imported =
    statistics.length === 0
      ? freed
      : readModel(path, options, {
          ...(!isFree && { shapes: shapesOf(freed) }),
          params: [...Object.keys(freed.params), ...statistics],
        });
  const inputs = names.map((name): DataInput => ({ name, shape: imported.graph.inputs[name]!.shape.slice(1) }));
  const input = inputs[0]!;
  const batch = imported.graph.inputs[input.name]!.shape[0]!;
  const output = chooseOutput(path, imported.graph, options.output);
  const outputValue = imported.graph.outputs[output]!;
  if (outputValue.shape[0] !== batch) {
    throw new BadInput(
      `${path}: output "${output}" has the shape [${outputValue.shape.join(", ")}]: expected one entry for each example, ` +
        `with the batch axis "${batch}" of input "${input.name}" first.`,
    );
  }
  const values = parameterValues(path, imported, stored, options.weights);
  return {
    input,
    inputs,
    output: { name: output, shape: outputValue.shape.slice(1) },
    fit: (exampleShape) => fit(path, { imported, inputs, output, values, statistics }, exampleShape),
  };
}

interface Chosen {
  readonly imported: ImportedModel;
  readonly inputs: readonly DataInput[];
  readonly output: string;
  /** By the names in the file: of parameters and of statistics. */
  readonly values: Params;
  /** Arrays that are given by the weights and yet no parameters: running means and variances. */
  readonly statistics: readonly string[];
}

function fit(
  path: string,
  { imported, inputs, output, values, statistics }: Chosen,
  exampleShape: Parameters<OnnxModelFile["fit"]>[0],
): OnnxModel {
  const shapes = shapesOfExamples(path, inputs, exampleShape);
  const inputShape = shapes.length === 1 ? shapes[0]! : [shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)];
  const own = Object.keys(imported.params).filter((key) => !statistics.includes(key));
  const specs = own.map((key): ParamSpec => ({ name: named(key), shape: imported.params[key]!.shape }));
  const model = asBadInput(path, () =>
    graph(
      (b) => {
        const x = b.input("x", ["batch", ...inputShape]);
        const parts = shapes.length === 1 ? [x] : b.splitSizes(x, shapes.map(sizeOf), 1);
        const given: Record<string, Value> = {};
        inputs.forEach(({ name }, i) => {
          const part = shapes.length === 1 ? x : b.reshape(parts[i]!, ["batch", ...shapes[i]!]);
          const { type } = imported.graph.inputs[name]!;
          given[name] = type === "float32" ? part : b.cast(part, type);
        });
        for (const [key, { shape, type }] of Object.entries(imported.params)) {
          const isStatistic = statistics.includes(key);
          const value = isStatistic ? b.constant(values[key]!, { shape }) : b.input(named(key), shape);
          given[key] = type === "float32" ? value : b.cast(value, type);
        }
        const result = b.call({ ...imported.graph, outputs: { [output]: imported.graph.outputs[output]! } }, given)[
          output
        ]!;
        return { output: result.type === "float32" ? result : b.cast(result, "float32") };
      },
      { name: "imported" },
    ),
  );
  const outputShape = model.outputs["output"]!.shape.slice(1);
  if (outputShape.length === 0 || outputShape.some((dim) => typeof dim !== "number")) {
    throw new BadInput(
      `${path}: output "${output}" has the shape [${model.outputs["output"]!.shape.join(", ")}]; expected [batch, C] or more axes of fixed size.`,
    );
  }
  const shape = outputShape as number[];
  const paramCount = specs.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
  const { producer, opset, unused } = imported;
  return {
    graph: model,
    params: specs,
    outputs: sizeOf(shape),
    description: `${path}: ${paramCount.toLocaleString("en-GB")} parameters in ${specs.length} arrays, opset ${opset}${producer === "" ? "" : `, from ${producer}`}`,
    inputShape,
    outputShape: shape,
    paramCount,
    values: Object.fromEntries(own.map((key) => [named(key), values[key]!])),
    notes: unused.length === 0 ? [] : [`No output depends on the parameters ${listed(unused)}.`],
  };
}

function readModel(path: string, { readHalf, evaluationMode }: OnnxModelOptions, more: object = {}): ImportedModel {
  return asBadInput(path, () =>
    importOnnxFile(path, {
      ...(readHalf === true && { float16: "float32" as const }),
      ...(evaluationMode === true && { trainingMode: "evaluate" as const }),
      ...more,
    }),
  );
}

/** The refusals of the importer, which already name the file, as faults of input. */
function asBadInput<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof BadInput) throw error;
    const text = error.message.replace(/^importOnnx(File)?: /, "");
    throw new BadInput(error instanceof OnnxFileError ? text : `${path}: ${text}`, { cause: error });
  }
}

function dataInputs(path: string, { inputs, graph: { inputs: values } }: ImportedModel): readonly string[] {
  if (inputs.length === 0) throw new BadInput(`${path}: expected a model with data inputs, got none.`);
  const scalar = inputs.find((name) => values[name]!.shape.length === 0);
  if (scalar === undefined) return inputs;
  throw new BadInput(`${path}: input "${scalar}" is a scalar; expected a batch of examples.`);
}

/** Of one example of each data input. */
function shapesOfExamples(
  path: string,
  inputs: readonly DataInput[],
  given: Parameters<OnnxModelFile["fit"]>[0],
): (readonly number[])[] {
  if (given instanceof Array && inputs.length > 1) {
    throw new BadInput(
      `${path}: has the data inputs ${listed(inputs.map(({ name }) => name))}: expected an array for each, got one.`,
    );
  }
  return inputs.map(({ name, shape: wanted }) => {
    const shape = given instanceof Array ? given : given[name];
    if (shape === undefined) throw new BadInput(`${path}: input "${name}": the data have no array of that name.`);
    const isFitting =
      wanted.length === shape.length && wanted.every((dim, axis) => typeof dim === "string" || dim === shape[axis]);
    if (isFitting) return shape;
    throw new BadInput(
      `${path}: input "${name}" wants examples of shape [${wanted.join(", ")}], the data has [${shape.join(", ")}].`,
    );
  });
}

/** A file exported for one batch size, read again with that axis free: right unless the size is built into the graph. */
function withFreeBatch(
  path: string,
  options: OnnxModelOptions,
  first: ImportedModel,
  declared: Readonly<Record<string, readonly Dim[]>>,
) {
  const stuck = (cause: unknown): never => {
    throw new BadInput(
      `${path}: made for batches of exactly ${Object.values(declared)[0]![0]}: export it with a free batch axis (dynamic_shapes, or dynamic_axes in the older exporter).`,
      { cause },
    );
  };
  let free: ImportedModel;
  try {
    const shapes = Object.entries(declared).map(([name, shape]) => [name, ["batch", ...shape.slice(1)]]);
    free = readModel(path, options, { shapes: Object.fromEntries(shapes) as Record<string, Dim[]> });
  } catch (error) {
    return stuck(error);
  }
  const output = chooseOutput(path, free.graph, options.output);
  const [axis] = free.graph.outputs[output]!.shape;
  return axis === "batch" || first.graph.outputs[output]!.shape.length === 0 ? free : stuck(undefined);
}

function chooseOutput(path: string, { outputs }: Graph, wanted: string | undefined): string {
  const names = Object.keys(outputs);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new BadInput(`${path}: output: expected ${listed(names)}, got "${wanted}".`);
  }
  const usual =
    ["output", "logits"].find((name) => names.includes(name)) ?? (names.length === 1 ? names[0] : undefined);
  if (usual === undefined)
    throw new BadInput(`${path}: has the outputs ${listed(names)}: say which to measure with --output.`);
  return usual;
}

/** @throws BadInput if one is not in the weights, has another shape there, or is not finite. */
function parameterValues(
  path: string,
  { params }: ImportedModel,
  stored: TensorFile | undefined,
  weights: string | undefined,
): Params {
  const values: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(params)) {
    const { data } = stored === undefined ? tensor : storedTensor(weights!, stored, name, tensor.shape);
    const single = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
    const bad = single.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new BadInput(
        `${weights ?? path}: parameter "${name}": expected finite numbers, got ${single[bad]} at element ${bad}.`,
      );
    }
    values[name] = single;
  }
  return values;
}

function readWeights(weights: string, imported: ImportedModel): TensorFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(weights);
  } catch (error) {
    throw new BadInput(`${weights}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  return decodeSafetensors(bytes, weights, { only: (name) => name in imported.params || name in imported.constants });
}

function storedTensor(weights: string, { tensors }: TensorFile, name: string, shape: readonly number[]) {
  const found = tensors[name];
  if (found === undefined)
    throw new BadInput(`${weights}: has no tensor "${name}", which is a parameter of the model.`);
  if (found.shape.join() !== shape.join()) {
    throw new BadInput(
      `${weights}: tensor "${name}": expected shape [${shape.join(", ")}], as in the model, got [${found.shape.join(", ")}].`,
    );
  }
  return found;
}

function listed(names: readonly string[], most = 6): string {
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `${names
    .slice(0, most)
    .map((name) => `"${name}"`)
    .join(", ")}${more}`;
}
