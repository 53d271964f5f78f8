/** ONNX files to graphs. docs/autodiff/importing.md is the guide. */
import { Builder, graphOf } from "../builder/builder.js";
import type { Dim, Shape } from "../ir/dims.js";
import type { Graph, Value } from "../ir/graph.js";
import { isFloat, type DataType, type Tensor } from "../ir/tensor.js";
import type { TensorProto, ValueInfoProto } from "../onnx/proto.js";
import { isConstantName, PRODUCER } from "../onnx/encode.js";
import { onnxTypes } from "../onnx/types.js";
import { dependsOn } from "../transforms/graphs.js";
import { Evaluation, Scope, type EvaluationOptions } from "./evaluate.js";
import { nodesNeeded, openModel, refuseUnknownOps, type Model } from "./model.js";
import { unmerge, type Unmerged } from "./merged.js";
import { exporterNotes, findTies, usesOf, whyConstant, type Tie } from "./parameters.js";
import { refuseAt, type Refuse } from "./refuse.js";
import { readTensor, type ExternalData } from "./tensors.js";

export interface ImportOptions {
  /** The file's name, for error messages. */
  readonly file?: string;
  /** Where tensors kept outside the file are found. Models above 2 GB, and many others, keep their weights beside them. */
  readonly externalData?: ExternalData;
  /**
   * Which initializers are parameters: their names, or a function that says so. Default: the floating-point ones, except
   * running statistics, scalars, masks, and what the exporter notes as a buffer.
   */
  readonly params?: readonly string[] | ((name: string, tensor: Tensor) => boolean);
  /** Shapes of model inputs, in place of the file's: to fix a symbolic size, or give a name to an unnamed one. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** float16 and bfloat16 tensors are refused unless they are to be read as float32. */
  readonly float16?: "refuse" | "float32";
  /** Training-mode BatchNormalization and Dropout are refused unless they are to be read as in evaluation. */
  readonly trainingMode?: "refuse" | "evaluate";
  /** Join a parameter with its transposed copy (see ImportedModel.ties). Default true. */
  readonly ties?: boolean;
}

export interface ImportedModel {
  /** Its inputs are the model's, then the parameters, under their names in the file. */
  readonly graph: Graph;
  /** The parameters' values: what the graph's parameter inputs are given. */
  readonly params: Readonly<Record<string, Tensor>>;
  /** Names of the model's own inputs: the graph's inputs that are not parameters. */
  readonly inputs: readonly string[];
  /** Float initializers that are constants of the graph, each with the reason. */
  readonly constants: Readonly<Record<string, string>>;
  /** Parameters on which no output depends, or only through steps (comparisons, roundings). Their gradient is zero. */
  readonly unused: readonly string[];
  /**
   * Parameters that the file stores twice, the second time transposed, as exporters do with tied weights. The copy is
   * computed from the original, whose gradient therefore covers both uses.
   */
  readonly ties: readonly Tie[];
  /**
   * Parameters that the file stores as one because their values are equal, as those of a fresh network are, with the name
   * of the one that is stored. Here each is a parameter of its own.
   */
  readonly separated: Readonly<Record<string, string>>;
  readonly opset: number;
  /** What wrote the file, "pytorch 2.13.0". */
  readonly producer: string;
}

/**
 * Reads an ONNX model, opset 11 to 23, into a graph that can be differentiated.
 *
 * @throws OnnxFileError naming the file, and the node and operator where there is one: a truncated file, operators without
 *   a rule (all of them at once), an input without a shape, weights that are not floating-point, training-mode nodes.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): ImportedModel {
  const { file, float16 = "refuse", trainingMode = "refuse" } = options;
  const refuse = refuseAt({ file });
  const model = openModel(bytes, refuse);
  const results = (model.graph.output ?? []).map(({ name }) => name ?? "");
  if (results.length === 0) refuse("the graph has no outputs");
  refuseUnknownOps(model, nodesNeeded(model.graph.node ?? [], results), refuse);

  const settings: EvaluationOptions = { file, externalData: options.externalData, float16, trainingMode };
  const stored = readInitializers(model, settings, refuse);
  const own = unmerge(model, stored);
  for (const [name, source] of own.copies) stored.set(name, { ...stored.get(source)! });
  const nodes = nodesNeeded(own.nodes, results);
  const chosen = chooseParameters(model, own, stored, options.params, refuse);
  const ties = options.ties === false ? [] : findTies(chosen.params);
  const tied = new Map(ties.map(({ name, copyOf }) => [name, copyOf]));

  const g = new Builder();
  const scope = new Scope();
  const inputs = declareInputs(g, model, stored, scope, options, refuse);
  const params: Record<string, Tensor> = {};
  for (const [name, tensor] of stored) {
    if (tied.has(name)) continue;
    if (chosen.params.has(name)) params[name] = tensor;
    scope.set(name, chosen.params.has(name) ? g.input(name, tensor.shape, tensor.type) : g.constant(tensor));
  }
  for (const [name, original] of tied) scope.set(name, g.transpose(scope.get(original)!, [1, 0]));

  const around = { scope, opsets: model.opsets, path: "", depth: 0 };
  const values = new Evaluation(g, model, settings).nodes(nodes, results, around, refuse);
  const graph = graphOf(
    Object.fromEntries(results.map((name, i) => [name, values[i]!])),
    model.graph.name || "imported",
    g.declaredInputs(),
  );
  return {
    graph,
    params,
    inputs,
    constants: chosen.constants,
    unused: Object.keys(params).filter((name) => !results.some((result) => dependsOn(graph, result, name))),
    ties,
    separated: Object.fromEntries(own.copies),
    opset: model.opsets.get("")!,
    producer: `${model.proto.producer_name ?? ""} ${model.proto.producer_version ?? ""}`.trim(),
  };
}

/** The initializers by name, in the file's order. */
function readInitializers(model: Model, settings: EvaluationOptions, refuse: Refuse): Map<string, Tensor> {
  const stored = new Map<string, Tensor>();
  for (const proto of model.graph.initializer ?? []) {
    const name = proto.name ?? "";
    if (name === "") refuse("an initializer has no name");
    if (stored.has(name)) refuse(`there are two initializers "${name}"`);
    stored.set(name, readTensor(proto, describe(proto), settings, refuse));
  }
  return stored;
}

const describe = ({ name }: TensorProto): string => `initializer "${name ?? ""}"`;

function chooseParameters(
  model: Model,
  own: Unmerged,
  stored: ReadonlyMap<string, Tensor>,
  wanted: ImportOptions["params"],
  refuse: Refuse,
) {
  const params = new Map<string, Tensor>();
  const constants: Record<string, string> = {};
  if (Array.isArray(wanted)) {
    for (const name of wanted as readonly string[]) {
      const tensor =
        stored.get(name) ??
        refuse(
          `params asks for "${name}", which is no initializer; there are ${[...stored.keys()].join(", ") || "none"}`,
        );
      if (!isFloat(tensor.type))
        refuse(
          `params asks for "${name}", which is ${tensor.type}; only floating-point parameters can be differentiated`,
        );
    }
  }
  const uses = usesOf(own.nodes);
  const { kind } = exporterNotes([...(model.graph.value_info ?? []), ...(model.graph.input ?? [])]);
  const kinds = new Map([...kind, ...own.kinds]);
  const ours = model.proto.producer_name === PRODUCER;
  for (const [name, tensor] of stored) {
    if (!isFloat(tensor.type)) continue;
    const asked = typeof wanted === "function" ? wanted(name, tensor) : wanted?.includes(name);
    const reason =
      asked === undefined
        ? ours && isConstantName(name)
          ? "a constant, as exportOnnx names it"
          : whyConstant(name, tensor, uses, kinds)
        : asked
          ? null
          : "not asked for";
    if (reason === null) params.set(name, tensor);
    else constants[name] = reason;
  }
  return { params, constants };
}

/** Declares what the model is fed: its inputs that are not initializers. */
function declareInputs(
  g: Builder,
  model: Model,
  stored: ReadonlyMap<string, Tensor>,
  scope: Scope,
  options: ImportOptions,
  refuse: Refuse,
): string[] {
  const symbols = new Symbols();
  const declared: string[] = [];
  const infos = (model.graph.input ?? []).filter(({ name }) => !stored.has(name ?? ""));
  for (const name of Object.keys(options.shapes ?? {})) {
    if (!infos.some((info) => info.name === name))
      refuse(
        `shapes names "${name}", which is no input; there are ${infos.map((info) => info.name).join(", ") || "none"}`,
      );
  }
  for (const info of infos) {
    const name = info.name ?? "";
    if (name === "") refuse("an input has no name");
    const type = inputType(info, options.float16 === "float32", refuse);
    const shape = options.shapes?.[name] ?? inputShape(info, symbols, refuse);
    const value: Value = g.input(name, shape, type);
    if (!scope.set(name, value)) refuse(`there are two inputs "${name}"`);
    declared.push(name);
  }
  return declared;
}

function inputType({ name, type }: ValueInfoProto, widen: boolean, refuse: Refuse): DataType {
  const number = type?.tensor_type?.elem_type;
  if (number === undefined) return refuse(`input "${name}" is no tensor`);
  const half = number === 10 || number === 16;
  if (half && !widen)
    refuse(
      `input "${name}" is half precision, too coarse to differentiate; pass { float16: "float32" } to read it as float32`,
    );
  return half
    ? "float32"
    : (onnxTypes.nameOf(number) ??
        refuse(`input "${name}" has element type ${number}, which is none of the types Sedge reads`));
}

function inputShape({ name, type }: ValueInfoProto, symbols: Symbols, refuse: Refuse): Shape {
  const shape = type?.tensor_type?.shape;
  if (shape === undefined)
    return refuse(`input "${name}" has no shape; pass { shapes: { ${JSON.stringify(name)}: ["batch", ...] } }`);
  return (shape.dim ?? []).map(({ dim_value: size, dim_param: symbol }, axis): Dim => {
    if (symbol) return symbols.named(symbol);
    // Negative sizes are how some exporters write "unknown".
    return size === undefined || size < 0 ? symbols.named(`${name}_${axis}`) : size;
  });
}

/** Names of symbolic sizes as Sedge can use them: "batch size" and "batch+size" stay two. */
class Symbols {
  private readonly given = new Map<string, string>();

  named(symbol: string): string {
    const existing = this.given.get(symbol);
    if (existing !== undefined) return existing;
    const base = symbol.replace(/\W/g, "_").replace(/^(?=\d)|^$/, "n");
    const taken = new Set(this.given.values());
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
    this.given.set(symbol, name);
    return name;
  }
}
