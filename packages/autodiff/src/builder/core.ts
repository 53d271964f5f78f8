/**
 * The part of the builder that knows no operator: inputs, constants, and adding nodes. Equal nodes are made once
 * (common subexpressions never arise), known integers become constants at once (shape arithmetic folds as it is built).
 */
import { atomsOf, isStatic, sizeOf, termsOf, type Dim, type Shape } from "../ir/dims.js";
import { GraphError, ShapeError } from "../ir/errors.js";
import { freshId, type Attributes, type Graph, type Node, type Typed, type Value } from "../ir/graph.js";
import { arrayClasses, numbersOf, tensor, typeOf, type DataType, type Tensor, type TypedArray } from "../ir/tensor.js";
import { leavesReaching, nodesInside, nodesReaching } from "../ir/traverse.js";
import { onnxTypes } from "../onnx/types.js";
import { ruleFor } from "../ops/registry.js";
import { fail, type OpRule } from "../ops/rule.js";
import { foldArrangement } from "../passes/fold.js";
import type { Builder } from "./builder.js";

/** Where ops take numbers for operands. */
export type Operand = Value | number;

export interface ConstantOptions {
  readonly type?: DataType;
  /** Defaults to a scalar for a number and one axis for an array. */
  readonly shape?: readonly number[];
}

const NAME = /^[A-Za-z_][\w.]*$/;

/** A name, or sums and products of names in the form that shapes are inferred in: "4*batch". */
const isSymbolic = (dim: string): boolean => {
  const atoms = atomsOf(dim);
  return atoms.length > 0 && atoms.every((atom) => NAME.test(atom));
};

export abstract class CoreBuilder {
  private readonly known = new Map<string, Node>();
  private readonly constants = new Map<string, Value>();
  private readonly declared = new Map<string, Value>();
  /** Where the size of each symbol can be read off at run time. */
  private readonly symbols = new Map<string, { value: Value; axis: number }>();
  private readonly path: string[] = [];

  /** Continues from graphs: their values may be used, and nodes equal to theirs are not made again. */
  constructor(...graphs: readonly Graph[]) {
    for (const { inputs, outputs } of graphs) {
      for (const [name, value] of Object.entries(inputs)) this.declared.set(name, value);
      this.adopt([...Object.values(inputs), ...Object.values(outputs)]);
    }
  }

  /**
   * Declares an input.
   *
   * @param shape  Strings are symbolic dimensions: equal names are equal sizes, "4*batch" is four times "batch".
   * @throws ShapeError if the name is taken or a dimension is neither a size nor a name.
   */
  input(name: string, shape: Shape, type: DataType = "float32"): Value {
    if (this.declared.has(name)) throw new ShapeError(`input: "${name}" is declared already.`);
    for (const dim of shape) {
      const good = typeof dim === "number" ? Number.isInteger(dim) && dim >= 0 : isSymbolic(dim);
      if (!good) throw new ShapeError(`input "${name}": expected sizes or symbol names, got dimension ${dim}.`);
    }
    const value = this.placeholder(name, { type, shape });
    this.declared.set(name, value);
    return value;
  }

  /** All inputs declared, here or in the graphs this builder continues from. */
  declaredInputs(): Record<string, Value> {
    return Object.fromEntries(this.declared);
  }

  /** The declared input of this name. @throws GraphError if there is none. */
  declaredInput(name: string): Value {
    const value = this.declared.get(name);
    if (value === undefined) {
      throw new GraphError(`There is no input "${name}"; the inputs are ${[...this.declared.keys()].join(", ")}.`);
    }
    return value;
  }

  /** A constant. Numbers are float32 unless told otherwise. */
  constant(data: number | Tensor | TypedArray | readonly number[], { type, shape }: ConstantOptions = {}): Value {
    if (typeof data === "number") return this.constantTensor(tensor([data], [], type ?? "float32"), shape, data);
    if ("shape" in data) return this.constantTensor(data, shape);
    return this.constantTensor(tensor(data, shape, type ?? typeOf(data)), shape);
  }

  /** The operand itself, or its number as a scalar of the type of `like`. */
  operand(operand: Operand, like: Operand): Value {
    if (typeof operand !== "number") return operand;
    return this.constant(operand, { type: typeof like === "number" ? "float32" : like.type });
  }

  /** Prefixes the names of nodes made inside, which is how errors say where: "dense2/Gemm". */
  scope<T>(name: string, build: () => T): T {
    this.path.push(name);
    try {
      return build();
    } finally {
      this.path.pop();
    }
  }

  /**
   * Adds a node by operator name, or finds the equal one that exists. The first output.
   *
   * @throws ShapeError if the op does not take these inputs or attributes.
   */
  node(op: string, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.nodeOutputs(op, inputs, attributes)[0];
  }

  /** Adds a node with several outputs. */
  nodeOutputs(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
  ): readonly [Value, ...Value[]] {
    const rule = ruleFor(op);
    const name = [...this.path, op].join("/");
    const filled = fillIn(rule, name, inputs, attributes);
    const simpler = rule.simplify?.(this.self(), filled);
    if (simpler) return [simpler];
    const key = `${op}(${filled.inputs.map((value) => value?.id ?? "").join(",")})${attributeKey(rule, filled.attributes)}`;
    const existing = this.known.get(key);
    if (existing) return existing.outputs;

    const inferred = rule.infer(filled);
    const typed = Array.isArray(inferred) ? (inferred as readonly Typed[]) : [inferred as Typed];
    const [only] = typed;
    if (typed.length === 1 && only!.content && isStatic(only!.content)) {
      return [this.constant(tensor(only!.content, only!.shape as number[], only!.type))];
    }
    const folded = typed.length === 1 ? foldArrangement(op, filled.attributes, filled.inputs, only!) : null;
    if (folded !== null) return [this.constant(folded)];
    const node = this.makeNode({ op, name, inputs: filled.inputs, attributes: filled.attributes }, typed);
    this.known.set(key, node);
    return node.outputs;
  }

  /** An int64 tensor of one element: the size at run time. */
  dimension(dim: Dim): Value {
    if (typeof dim === "number") return this.constant([dim], { type: "int64" });
    const terms = termsOf(dim).map(({ coefficient, atoms }) => {
      const factors = atoms.map((atom) => this.symbol(atom));
      const scale = coefficient === 1 && factors.length > 0 ? [] : [this.dimension(coefficient)];
      return [...factors, ...scale].reduce((product, factor) => this.node("Mul", [product, factor]));
    });
    return terms.reduce((sum, term) => this.node("Add", [sum, term]));
  }

  /** An int64 tensor [rank] that holds the shape at run time. */
  shapeTensor(shape: Shape): Value {
    if (isStatic(shape)) return this.constant(shape, { type: "int64" });
    const parts: (number[] | string)[] = [];
    for (const dim of shape) {
      const last = parts.at(-1);
      if (typeof dim === "string") parts.push(dim);
      else if (Array.isArray(last)) last.push(dim);
      else parts.push([dim]);
    }
    const values = parts.map((part) =>
      Array.isArray(part) ? this.constant(part, { type: "int64" }) : this.dimension(part),
    );
    return values.length === 1 ? values[0]! : this.node("Concat", values, { axis: 0 });
  }

  /** A scalar of the given float type that holds a number of elements, known now or at run time. */
  count(shape: Shape, type: DataType): Value {
    const size = sizeOf(shape);
    if (typeof size === "number") return this.constant(size, { type });
    const scalar = this.node("Squeeze", [this.dimension(size), this.constant([0], { type: "int64" })]);
    return this.node("Cast", [scalar], { to: onnxTypes.numberOf(type) });
  }

  /** A value that something outside provides: a graph input, or the state of a loop. */
  placeholder(name: string, typed: Typed): Value {
    const value: Value = { type: typed.type, shape: typed.shape, id: freshId(), origin: { kind: "input", name } };
    this.rememberSymbols(value);
    return value;
  }

  /** Makes a node of which the outputs are known, without looking for an equal one. */
  makeNode(
    parts: Pick<Node, "op" | "inputs" | "attributes" | "body"> & { name?: string },
    typed: readonly Typed[],
  ): Node {
    const outputs: Value[] = [];
    const name = parts.name ?? [...this.path, parts.op].join("/");
    const node: Node = { ...parts, name, id: freshId(), outputs: outputs as unknown as [Value, ...Value[]] };
    typed.forEach((type, index) => outputs.push({ ...type, id: freshId(), origin: { kind: "node", node, index } }));
    for (const output of outputs) this.rememberSymbols(output);
    return node;
  }

  private constantTensor(given: Tensor, shape?: readonly number[], wanted?: number): Value {
    const data = shape === undefined ? given : tensor(given.data, shape, given.type);
    // What the type holds exactly needs no second record, and is then equal to the same number from elsewhere.
    const exact = wanted !== undefined && Number(data.data[0]) !== wanted ? wanted : undefined;
    const key = constantKey(data, exact);
    const existing = this.constants.get(key);
    if (existing) return existing;
    const known =
      data.shape.length <= 1 &&
      data.data.length <= 64 &&
      (data.type === "int64" || data.type === "int32" || data.type === "bool");
    const value: Value = {
      id: freshId(),
      type: data.type,
      shape: data.shape,
      origin: { kind: "constant", tensor: data, ...(exact !== undefined && { exact }) },
      ...(known ? { content: numbersOf(data) } : {}),
    };
    this.constants.set(key, value);
    return value;
  }

  private symbol(atom: string): Value {
    const source = this.symbols.get(atom);
    if (source === undefined) throw new GraphError(`No value is known from which the size "${atom}" could be read.`);
    return this.node("Shape", [source.value], { start: source.axis, end: source.axis + 1 });
  }

  private rememberSymbols(value: Value): void {
    value.shape.forEach((dim, axis) => {
      if (typeof dim === "string" && !this.symbols.has(dim) && atomsOf(dim).join() === dim)
        this.symbols.set(dim, { value, axis });
    });
  }

  private adopt(values: readonly Value[]): void {
    for (const leaf of leavesReaching(values)) {
      this.rememberSymbols(leaf);
      const key = leaf.origin.kind === "constant" ? constantKey(leaf.origin.tensor, leaf.origin.exact) : null;
      if (key !== null && !this.constants.has(key)) this.constants.set(key, leaf);
    }
    const visit = (node: Node): void => {
      for (const output of node.outputs) this.rememberSymbols(output);
      if (node.body !== undefined) {
        node.body.inputs.forEach((value) => this.rememberSymbols(value));
        nodesInside(node.body).forEach(visit);
        return;
      }
      const key = `${node.op}(${node.inputs.map((value) => value?.id ?? "").join(",")})${attributeKey(ruleFor(node.op), node.attributes)}`;
      if (!this.known.has(key)) this.known.set(key, node);
    };
    nodesReaching(values).forEach(visit);
  }

  /** This builder with all its methods; the only concrete subclass is Builder. */
  private self(): Builder {
    return this as unknown as Builder;
  }
}

type Filled = Parameters<OpRule["infer"]>[0];

/** Checks inputs and attributes against the rule's declaration, and fills in defaults. */
function fillIn(rule: OpRule, name: string, given: readonly (Value | null)[], attributes: Attributes): Filled {
  const variadic = rule.inputs.length === 1 && rule.inputs[0]!.endsWith("...");
  const inputs = variadic ? [...given] : rule.inputs.map((_, i) => given[i] ?? null);
  const node = { op: rule.op, name, inputs, attributes: {} as Record<string, Attributes[string]> };
  if (!variadic) {
    if (given.length > rule.inputs.length)
      fail({ ...node, inputs: given }, `expected at most ${rule.inputs.length} inputs`);
    rule.inputs.forEach((input, i) => {
      if (inputs[i] === null && !input.endsWith("?")) fail(node, `expected an input ${input}`);
    });
  } else if (inputs.length === 0 || inputs.includes(null)) {
    fail(node, "expected one or more inputs");
  }
  const specs = rule.attributes ?? {};
  for (const key of Object.keys(attributes)) {
    if (!(key in specs))
      fail(node, `expected attributes among ${Object.keys(specs).join(", ") || "none"}, not "${key}"`);
  }
  for (const [key, { default: fallback }] of Object.entries(specs)) node.attributes[key] = attributes[key] ?? fallback;
  return node;
}

const tensorKeys = new WeakMap<Tensor, number>();

function identityOf(held: Tensor): number {
  const key = tensorKeys.get(held) ?? freshId();
  tensorKeys.set(held, key);
  return key;
}

function attributeKey(rule: OpRule, attributes: Attributes): string {
  const keys = Object.keys(rule.attributes ?? {});
  if (keys.length === 0) return "";
  return JSON.stringify(
    keys.map((key) => {
      const value = attributes[key];
      return typeof value === "object" && "shape" in value ? identityOf(value) : (value ?? null);
    }),
  );
}

/** Small constants are equal when their elements are; large ones only when they are the same tensor. */
function constantKey(held: Tensor, exact: number | undefined): string {
  const { type, shape, data } = held;
  if (data.length > 64) return `#${identityOf(held)}`;
  const bits = new arrayClasses.uint8(data.buffer, data.byteOffset, data.byteLength);
  return `${type}[${shape.join(",")}]${bits.join(",")}/${exact ?? ""}`;
}
