/** Graphs to ONNX bytes. Equal graphs give equal bytes, whatever they were built from. */
import { atomsOf, type Dim } from "../ir/dims.js";
import type { Body, Graph, Node, Value } from "../ir/graph.js";
import type { Tensor } from "../ir/tensor.js";
import { dependencies, leavesReaching, nodesInside, nodesReaching } from "../ir/traverse.js";
import { ruleFor } from "../ops/registry.js";
import {
  attributeTypes,
  encodeModel,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.js";
import { onnxTypes } from "./types.js";

/** The operator set the rules describe. */
export const OPSET = 21;
const IR_VERSION = 10;
export const PRODUCER = "sedge";

/** Whether exportOnnx made the name up: then an initializer under it is a constant, no input that was given a value. */
export const isConstantName = (name: string): boolean => /^v\d+$/.test(name);

export interface ExportOptions {
  /** Inputs to store in the file with these values, as initializers. */
  readonly params?: Readonly<Record<string, Tensor>>;
}

/** The graph as an ONNX model, opset 21. Above 2 GB a file needs its weights beside it: exportOnnxWithData. */
export const exportOnnx = (graph: Graph, options: ExportOptions = {}): Uint8Array =>
  encodeModel(modelOf(graph, options));

/** The same before it is bytes. */
export function modelOf(graph: Graph, { params = {} }: ExportOptions): ModelProto {
  const encoder = new Encoder(graph);
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [outputName(graph, name), value] as const);
  const node = encoder.nodes(
    nodesReaching(Object.values(graph.outputs)),
    outputs.map(([, value]) => value),
    outputs.map(([name]) => name),
  );
  const initializer = encoder.constants();
  const known = new Set<string>();
  // The engine wants a value for every input of a file, so those that nothing needs are left out.
  const inputs = neededInputs(graph);
  for (const value of Object.values(inputs))
    value.shape.forEach((dim) => atomsOf(dim).forEach((atom) => known.add(atom)));
  const info = (name: string, value: Value) => valueInfo(name, value, known);

  const stored = Object.keys(inputs).filter((name) => params[name]);
  return {
    ir_version: IR_VERSION,
    producer_name: PRODUCER,
    opset_import: [{ domain: "", version: OPSET }],
    graph: {
      name: graph.name,
      node,
      initializer: [...initializer, ...stored.map((name) => encodeTensor(params[name]!, name))],
      input: Object.entries(inputs)
        .filter(([name]) => !params[name])
        .map(([name, value]) => info(name, value)),
      output: outputs.map(([name, value]) => info(name, value)),
    },
  };
}

/** An output's name in the file: a name is used once there, so an output called as an input is "W1.out". */
export const outputName = (graph: Graph, name: string): string => (name in graph.inputs ? `${name}.out` : name);

/** The inputs that outputs depend on. */
export function neededInputs({ inputs, outputs }: Graph): Record<string, Value> {
  const needed = new Set(leavesReaching(Object.values(outputs)));
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => needed.has(value)));
}

class Encoder {
  private readonly names = new Map<Value, string>();
  private readonly taken = new Set<string>();
  private readonly used = new Set<Value>();
  private readonly held: { name: string; tensor: Tensor }[] = [];
  private counter = 0;
  private readonly nodeCounts = new Map<string, number>();

  constructor(graph: Graph) {
    for (const [name, value] of Object.entries(graph.inputs)) this.claim(value, name);
    for (const name of Object.keys(graph.outputs)) this.taken.add(outputName(graph, name));
    const values = Object.values(graph.outputs);
    const markUsed = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        dependencies(node).forEach((value) => this.used.add(value));
        if (!node.body) continue;
        node.body.outputs.forEach((value) => this.used.add(value));
        markUsed(nodesInside(node.body));
      }
    };
    values.forEach((value) => this.used.add(value));
    markUsed(nodesReaching(values));
    for (const leaf of leavesReaching(values)) {
      if (leaf.origin.kind === "constant") this.held.push({ name: this.claim(leaf), tensor: leaf.origin.tensor });
    }
  }

  constants(): TensorProto[] {
    return this.held.map(({ name, tensor }) => encodeTensor(tensor, name));
  }

  /** The nodes, and what it takes for the results to come out under their names. */
  nodes(nodes: readonly Node[], results: readonly Value[], resultNames: readonly string[]): NodeProto[] {
    // A result may carry its name from the start, unless something else already names the value.
    const made = new Set(nodes.flatMap((node) => node.outputs));
    results.forEach((value, i) => {
      if (made.has(value) && !this.names.has(value)) this.names.set(value, resultNames[i]!);
    });
    const encoded = nodes.map((node) => this.node(node));
    results.forEach((value, i) => {
      if (this.names.get(value) === resultNames[i]) return;
      encoded.push({
        op_type: "Identity",
        name: `result/${resultNames[i]!}`,
        input: [this.nameOf(value)],
        output: [resultNames[i]!],
      });
    });
    return encoded;
  }

  private node(node: Node): NodeProto {
    const rule = ruleFor(node.op);
    const outputs = node.outputs.map((output, i) =>
      i > 0 && rule.optionalOutputs && !this.used.has(output) ? "" : this.nameOf(output),
    );
    while (outputs.at(-1) === "") outputs.pop();
    const inputs = node.inputs.map((value) => (value === null ? "" : this.nameOf(value)));
    // A Loop lists its condition even where it has none.
    while (inputs.at(-1) === "" && node.op !== "Loop") inputs.pop();
    const attribute = Object.entries(rule.attributes ?? {}).flatMap(([name, { kind }]) => {
      const value = node.attributes[name];
      return value === undefined ? [] : [encodeAttribute(name, kind, value)];
    });
    if (node.body) attribute.push({ name: "body", type: attributeTypes.graph, g: this.body(node.body) });
    return {
      op_type: node.op,
      name: this.nodeName(node.name),
      input: inputs,
      output: outputs,
      attribute,
      ...(rule.domain ? { domain: rule.domain } : {}),
    };
  }

  private body(body: Body) {
    const input = body.inputs.map((value) => valueInfo(this.claim(value), value, new Set()));
    const names = body.outputs.map(() => this.fresh());
    const node = this.nodes(nodesInside(body), body.outputs, names);
    return {
      name: "body",
      node,
      input,
      output: body.outputs.map((value, i) => valueInfo(names[i]!, value, new Set())),
    };
  }

  private nameOf(value: Value): string {
    return this.names.get(value) ?? this.claim(value);
  }

  private claim(value: Value, name = this.fresh()): string {
    this.names.set(value, name);
    this.taken.add(name);
    return name;
  }

  private fresh(): string {
    let name: string;
    do name = `v${this.counter++}`;
    while (this.taken.has(name));
    return name;
  }

  private nodeName(name: string): string {
    const count = (this.nodeCounts.get(name) ?? 0) + 1;
    this.nodeCounts.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  }
}

/** Only symbols of the inputs are named: others are made up while building, and would make equal graphs differ. */
function valueInfo(name: string, { type, shape }: Value, known: ReadonlySet<string>): ValueInfoProto {
  const dim = (size: Dim) =>
    typeof size === "number" ? { dim_value: size } : known.has(size) ? { dim_param: size } : {};
  return { name, type: { tensor_type: { elem_type: onnxTypes.numberOf(type), shape: { dim: shape.map(dim) } } } };
}

export function encodeTensor({ type, shape, data }: Tensor, name?: string): TensorProto {
  const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { data_type: onnxTypes.numberOf(type), dims: [...shape], raw_data, ...(name !== undefined && { name }) };
}

function encodeAttribute(name: string, kind: keyof typeof attributeTypes, value: unknown): AttributeProto {
  const type = attributeTypes[kind];
  const text = (string: string): Uint8Array => new TextEncoder().encode(string);
  switch (kind) {
    case "int":
      return { name, type, i: value as number };
    case "float":
      return { name, type, f: value as number };
    case "string":
      return { name, type, s: text(value as string) };
    case "ints":
      return { name, type, ints: [...(value as readonly number[])] };
    case "floats":
      return { name, type, floats: [...(value as readonly number[])] };
    case "strings":
      return { name, type, strings: (value as readonly string[]).map(text) };
    case "tensor":
      return { name, type, t: encodeTensor(value as Tensor) };
    case "graph":
      throw new TypeError("encodeAttribute: a body is encoded with its node.");
  }
}
