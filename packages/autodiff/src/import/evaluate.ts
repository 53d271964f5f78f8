/** Turns the file's nodes into values, one after the other: functions inlined, constant branches taken. */
import type { Builder } from "../builder/builder.js";
import { GraphError, OnnxFileError, ShapeError } from "../ir/errors.js";
import { constantOf, type Attributes, type Value } from "../ir/graph.js";
import { scalarOf } from "../ir/tensor.js";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from "../onnx/proto.js";
import { ruleFor } from "../ops/registry.js";
import {
  domainOf,
  functionKey,
  namesRead,
  nodesNeeded,
  opsetsOf,
  refuseUnknownOps,
  type Model,
  type Opsets,
} from "./model.js";
import { refuseAt, type Refuse } from "./refuse.js";
import { rewriteFor } from "./rewrites.js";
import { readAttributes, type SourceNode } from "./source.js";
import { readTensor, type TensorOptions } from "./tensors.js";

/** The deepest chain of functions that call functions; a longer one calls itself. */
const DEEPEST = 64;

const FLOAT32 = 1;
const halfTypes: readonly number[] = [10, 16];

export interface EvaluationOptions extends TensorOptions {
  readonly file: string | undefined;
  readonly trainingMode: "refuse" | "evaluate";
}

/** Values by name; a subgraph sees those around it. */
export class Scope {
  private readonly values = new Map<string, Value | null>();

  constructor(private readonly outer: Scope | null = null) {}

  has(name: string): boolean {
    return this.values.has(name) || (this.outer?.has(name) ?? false);
  }

  get(name: string): Value | null | undefined {
    return this.values.has(name) ? this.values.get(name) : this.outer?.get(name);
  }

  /** Whether the name was free in this very scope. */
  set(name: string, value: Value | null): boolean {
    if (this.values.has(name)) return false;
    this.values.set(name, value);
    return true;
  }
}

interface Surroundings {
  readonly scope: Scope;
  readonly opsets: Opsets;
  /** The calls that led here, "/encoder/Attention/". */
  readonly path: string;
  readonly depth: number;
}

export class Evaluation {
  constructor(
    private readonly g: Builder,
    private readonly model: Model,
    private readonly options: EvaluationOptions,
  ) {}

  /** Adds the values of the nodes to the scope, and returns those of `results`. */
  nodes(
    nodes: readonly NodeProto[],
    results: readonly string[],
    around: Surroundings,
    refuse: Refuse,
  ): readonly Value[] {
    // Names made later tell a node out of order from one whose input nobody makes.
    const made = new Set(nodes.flatMap((node) => node.output ?? []));
    const used = new Set([...nodes.flatMap(namesRead), ...results]);
    for (const node of nodes) this.node(node, around, made, used);
    return results.map((name) => around.scope.get(name) ?? refuse(`nothing makes the output "${name}"`));
  }

  private node(proto: NodeProto, around: Surroundings, made: ReadonlySet<string>, used: ReadonlySet<string>): void {
    const outputs = proto.output ?? [];
    const op = proto.op_type ?? "";
    const name = around.path + (proto.name || outputs[0] || op);
    const refuse = refuseAt({ file: this.options.file, node: name, op });
    if (op === "") refuse("the node names no operator");
    const inputs = (proto.input ?? []).map((input) => this.lookUp(input, around.scope, made, refuse));
    while (inputs.at(-1) === null) inputs.pop();

    let results: readonly (Value | null)[];
    try {
      const compute = () => this.compute(proto, { op, name, inputs, refuse, outputs, used }, around);
      const scope = scopeOf(name, op);
      results = scope === "" ? compute() : this.g.scope(scope, compute);
    } catch (error) {
      if (error instanceof OnnxFileError) throw error;
      if (error instanceof ShapeError || error instanceof GraphError || error instanceof RangeError) {
        return refuse(`${error.message.replace(/\.$/, "")}${this.advice(inputs)}`, error);
      }
      throw error;
    }
    outputs.forEach((output, i) => {
      if (output === "") return;
      const value = results[i] ?? null;
      if (value === null && used.has(output))
        refuse(`its output ${i}, "${output}", is used, and Sedge does not compute it`);
      if (!around.scope.set(output, value)) refuse(`its output "${output}" is the name of another value too`);
    });
  }

  private lookUp(input: string, scope: Scope, made: ReadonlySet<string>, refuse: Refuse): Value | null {
    if (input === "") return null;
    const value = scope.get(input);
    if (value !== undefined) return value;
    return refuse(
      made.has(input) ? `its input "${input}" is made by a later node` : `nothing makes its input "${input}"`,
    );
  }

  /** What helps where two symbolic sizes should have been one. */
  private advice(inputs: readonly (Value | null)[]): string {
    const symbolic = inputs.some((value) => value?.shape.some((dim) => typeof dim === "string"));
    return symbolic
      ? "; sizes that are equal must have equal names, or be numbers: pass { shapes: { input: [...] } }"
      : "";
  }

  private compute(
    proto: NodeProto,
    node: {
      op: string;
      name: string;
      inputs: (Value | null)[];
      refuse: Refuse;
      outputs: readonly string[];
      used: ReadonlySet<string>;
    },
    around: Surroundings,
  ): readonly (Value | null)[] {
    const domain = domainOf(proto.domain);
    const { op, name, inputs, refuse } = node;
    const called = this.model.functions.get(functionKey(proto, op));
    if (called) return this.call(called, proto, inputs, { ...around, path: `${name}/` }, refuse);

    const { attributes, graphs } = readAttributes(
      proto.attribute ?? [],
      ({ name: key, t }) => readTensor(t ?? { data_type: 0 }, `attribute ${key}`, this.options, refuse),
      refuse,
    );
    if (op === "If" && domain === "") return this.branch(inputs, graphs, around, refuse);
    const source: SourceNode = {
      op,
      domain,
      name,
      opset: around.opsets.get(domain) ?? this.model.opsets.get(domain) ?? 0,
      inputs,
      attributes: this.widened(op, attributes),
      graphs,
      used: node.outputs.map((output) => node.used.has(output)),
      refuse,
      trainingMode: this.options.trainingMode,
    };
    const rewrite = rewriteFor(domain, op);
    if (rewrite) {
      const results = rewrite(this.g, source);
      return Array.isArray(results) ? (results as readonly (Value | null)[]) : [results as Value];
    }
    return this.g.nodeOutputs(op, inputs, this.meaningful(source));
  }

  /** Where half precision is read as float32, what casts to it casts to float32. */
  private widened(op: string, attributes: SourceNode["attributes"]): SourceNode["attributes"] {
    const { to } = attributes;
    const half =
      op === "Cast" && typeof to === "number" && halfTypes.includes(to) && this.options.float16 === "float32";
    return half ? { ...attributes, to: FLOAT32 } : attributes;
  }

  /** A rule refuses attributes it does not know; those that the file sets to nothing do not count. */
  private meaningful({ op, attributes }: SourceNode): Attributes {
    const specs = ruleFor(op).attributes ?? {};
    const isNothing = (value: unknown): boolean =>
      value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
    return Object.fromEntries(Object.entries(attributes).filter(([name, value]) => name in specs || !isNothing(value)));
  }

  /** A local function's body in place of its call. */
  private call(
    body: FunctionProto,
    proto: NodeProto,
    inputs: readonly (Value | null)[],
    around: Surroundings,
    refuse: Refuse,
  ): readonly (Value | null)[] {
    if (around.depth >= DEEPEST) refuse("functions call each other without end");
    const given = new Map((proto.attribute ?? []).map((attribute) => [attribute.name, attribute]));
    const defaults = (body.attribute_proto ?? []).filter(({ name }) => !given.has(name));
    const attributes = new Map([...given, ...defaults.map((attribute) => [attribute.name, attribute] as const)]);
    const scope = new Scope();
    (body.input ?? []).forEach((name, i) => scope.set(name, inputs[i] ?? null));
    const results = body.output ?? [];
    const nodes = nodesNeeded(body.node ?? [], results).map((node) => withAttributes(node, attributes));
    const opsets = new Map([...this.model.opsets, ...opsetsOf(body.opset_import ?? [])]);
    return this.nodes(nodes, results, { scope, opsets, path: around.path, depth: around.depth + 1 }, refuse);
  }

  /** The branch that is taken, where the condition is known. */
  private branch(
    inputs: readonly (Value | null)[],
    graphs: Readonly<Record<string, GraphProto>>,
    around: Surroundings,
    refuse: Refuse,
  ): readonly (Value | null)[] {
    const condition = inputs[0] ?? refuse("expected a condition");
    const held = constantOf(condition);
    const known = held ? scalarOf(held) : condition.content?.length === 1 ? condition.content[0] : undefined;
    if (typeof known !== "number") {
      return refuse(
        "the branch taken is not known when the model is read. If it depends on a symbolic size, fix the size: pass { shapes: { input: [...] } }",
      );
    }
    const graph = (known ? graphs.then_branch : graphs.else_branch) ?? refuse("a branch is missing");
    const results = (graph.output ?? []).map(({ name }) => name);
    const nodes = nodesNeeded(graph.node ?? [], results);
    refuseUnknownOps(this.model, nodes, refuse);
    const scope = new Scope(around.scope);
    for (const tensor of graph.initializer ?? []) {
      scope.set(
        tensor.name ?? "",
        this.g.constant(readTensor(tensor, `initializer "${tensor.name ?? ""}"`, this.options, refuse)),
      );
    }
    return this.nodes(nodes, results, { ...around, scope }, refuse);
  }
}

/** "dense2/Gemm" of a Gemm is Gemm in the scope dense2: nodes are then called as they were. */
function scopeOf(name: string, op: string): string {
  const at = name.lastIndexOf("/");
  return name.slice(at + 1).replace(/_\d+$/, "") === op ? name.slice(0, Math.max(at, 0)) : name;
}

/** A function's node with the attributes of its call in place of references to them. */
function withAttributes(node: NodeProto, given: ReadonlyMap<string, AttributeProto>): NodeProto {
  if (!node.attribute?.some(({ ref_attr_name: reference, g }) => reference || g)) return node;
  const attribute = node.attribute.map((each) => {
    if (each.g)
      return { ...each, g: { ...each.g, node: (each.g.node ?? []).map((inner) => withAttributes(inner, given)) } };
    const value = each.ref_attr_name ? given.get(each.ref_attr_name) : undefined;
    return value ? { ...value, name: each.name } : each;
  });
  return { ...node, attribute };
}
