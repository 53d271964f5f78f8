/**
 * What Sedge knows about one ONNX operator, in one object: what it takes, what comes out, and how it is differentiated.
 * docs/autodiff/adding-an-op.md walks through writing one.
 */
import type { Builder } from "../builder/builder.js";
import { ShapeError } from "../ir/errors.js";
import { show } from "../ir/dims.js";
import type { AttributeValue, Node, Typed, Value } from "../ir/graph.js";
import type { Tensor } from "../ir/tensor.js";

/**
 * The inputs by name, in ONNX's order: "A"; "C?" may be left out (the rule sees null); a single "inputs..." stands for
 * any number.
 */
export type InputNames = readonly string[];

export type InputsOf<S extends InputNames> = number extends S["length"]
  ? readonly (Value | null)[]
  : S extends readonly [`${string}...`]
    ? readonly Value[]
    : { readonly [K in keyof S]: S[K] extends `${string}?` ? Value | null : Value };

/** One entry for each input. */
export type PerInput<S extends InputNames, T> = S extends readonly [`${string}...`]
  ? readonly T[]
  : { readonly [K in keyof S]: T };

type AttributeKind = "int" | "float" | "string" | "ints" | "floats" | "strings" | "tensor";

export interface AttributeSpec<out T extends AttributeValue | undefined = AttributeValue | undefined> {
  readonly kind: AttributeKind;
  readonly default: T;
}
export type AttributeSpecs = Readonly<Record<string, AttributeSpec>>;
export type AttributesOf<A extends AttributeSpecs> = {
  readonly [K in keyof A]: A[K] extends AttributeSpec<infer T> ? T : never;
};

interface SpecFactory<T extends AttributeValue> {
  (fallback: T): AttributeSpec<T>;
  (): AttributeSpec<T | undefined>;
}

function spec<T extends AttributeValue>(kind: AttributeKind): SpecFactory<T> {
  return ((fallback?: T) => ({ kind, default: fallback })) as SpecFactory<T>;
}

/** Attribute declarations: `axis: int(-1)` has a default, `perm: ints()` may be absent. */
export const int = spec<number>("int");
export const float = spec<number>("float");
export const string = spec<string>("string");
export const ints = spec<readonly number[]>("ints");
export const floats = spec<readonly number[]>("floats");
export const strings = spec<readonly string[]>("strings");
export const tensorAttribute = spec<Tensor>("tensor");

/** A node as its rule sees it: inputs and attributes typed by their declarations, defaults filled in. */
export interface NodeOf<S extends InputNames, A extends AttributeSpecs> {
  readonly op: string;
  readonly name: string;
  readonly inputs: InputsOf<S>;
  readonly attributes: AttributesOf<A>;
}

export interface BuiltNodeOf<S extends InputNames, A extends AttributeSpecs> extends NodeOf<S, A> {
  readonly outputs: readonly [Value, ...Value[]];
}

/** A tangent or cotangent; null where it is structurally zero, so that nothing is ever multiplied by zeros. */
export type Derivative = Value | null;

export interface OpDefinition<S extends InputNames, A extends AttributeSpecs> {
  /** ONNX operator name. */
  readonly op: string;
  /** Operator domain; ONNX's own by default. */
  readonly domain?: string;
  readonly inputs: S;
  readonly attributes?: A;

  /**
   * Type and shape of each output; `content` where the elements are known as dimensions.
   * Refuse bad input with `fail(node, "expected …")`.
   */
  infer(node: NodeOf<S, A>): Typed | readonly Typed[];

  /** An existing value equal to the (only) output, where there is one: x for Mul(x, 1). */
  simplify?(g: Builder, node: NodeOf<S, A>): Value | null;

  /**
   * Tangent of the first output from those of the inputs, at least one of which is not null.
   * An op with several differentiable outputs returns an array.
   * Left out, like vjp: the output does not vary continuously with any input, its derivative is zero.
   */
  jvp?(g: Builder, node: BuiltNodeOf<S, A>, tangents: PerInput<S, Derivative>): Derivative | readonly Derivative[];

  /**
   * Cotangent of each input from that of the first output. `wanted[i]` says whether input i is asked for; null where it
   * is not, and where the derivative is zero. `cotangents` holds those of all outputs, for ops with several: `dy` is
   * null then if only others are given.
   */
  vjp?(
    g: Builder,
    node: BuiltNodeOf<S, A>,
    dy: Value,
    wanted: PerInput<S, boolean>,
    cotangents: readonly Derivative[],
  ): readonly Derivative[];

  /**
   * The same outputs from ops for which the engine has float64 kernels, where it has none for this one. compile puts it
   * in place of float64 nodes.
   */
  float64?(g: Builder, node: NodeOf<S, A>): Value | readonly Value[];

  /** Outputs after the first need not be computed where nobody reads them. */
  readonly optionalOutputs?: true;

  /** Why this op has no derivative where it might be expected to have one. Differentiating it throws this. */
  readonly refuse?: string;
}

/** A rule with its input and attribute types erased: what the registry holds. */
export type OpRule = OpDefinition<InputNames, AttributeSpecs>;

/** Declares an op. The types of inputs and attributes inside follow from their declarations. */
export function defineOp<const S extends InputNames, const A extends AttributeSpecs = Record<never, never>>(
  definition: OpDefinition<S, A>,
): OpRule {
  // Builder.node checks arity and attributes against the declaration before a rule sees a node, which makes this sound.
  return definition;
}

/** Refuses a node: "Gemm "dense2/Gemm": expected …, got [3, 4], [5, 6]." */
export function fail(node: Pick<Node, "op" | "name" | "inputs">, expected: string): never {
  const got = node.inputs.map((value) => (value === null ? "none" : `${value.type} ${show(value.shape)}`));
  throw new ShapeError(`${title(node)}: ${expected}, got ${got.join(", ")}.`);
}

export const title = ({ op, name }: Pick<Node, "op" | "name">): string => (name === op ? op : `${op} "${name}"`);

/** An axis counted from the front. */
export function normalizeAxis(node: Pick<Node, "op" | "name" | "inputs">, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    fail(node, `expected an axis from ${-rank} to ${rank - 1}, not ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}
