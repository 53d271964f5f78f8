/**
 * The intermediate representation. A graph is the set of values its outputs reach: values are immutable and know their
 * producer, so rewriting means adding values, parts are shared freely between graphs, and dead code cannot exist.
 */
import type { DataType, Tensor } from "./tensor.js";
import type { Dim, Shape } from "./dims.js";

/** What is known about a value before it is computed. */
export interface Typed {
  readonly type: DataType;
  readonly shape: Shape;
  /**
   * The elements, where they are known as dimensions: integer or bool tensors of rank 0 or 1 that come from shapes.
   * This is what lets Shape → Gather → Concat → Reshape chains fold with a batch size that stays symbolic.
   */
  readonly content?: readonly Dim[];
}

export interface Value extends Typed {
  /** Ascending in order of creation, so every value's id exceeds those of the values it is computed from. */
  readonly id: number;
  readonly origin: Origin;
}

export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | {
      readonly kind: "constant";
      readonly tensor: Tensor;
      /** The number a scalar was made from, before it was rounded to its type: what a conversion to float64 goes by. */
      readonly exact?: number;
    }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

export interface Node {
  /** Shares the numbering of values. */
  readonly id: number;
  /** The ONNX operator, "Gemm". */
  readonly op: string;
  /** Where it was built, "dense2/Gemm"; need not be unique. */
  readonly name: string;
  /** null where an optional input is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly [Value, ...Value[]];
  /** A Loop's body. */
  readonly body?: Body;
}

/** A nested computation. It may use any value from outside; what does not depend on its inputs counts as outside. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

export type AttributeValue = number | string | readonly number[] | readonly string[] | Tensor;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface Graph {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The node a value comes from; null for inputs and constants. */
export const producer = (value: Value): Node | null => (value.origin.kind === "node" ? value.origin.node : null);

/** The constant's tensor, or null. */
export const constantOf = (value: Value | null | undefined): Tensor | null =>
  value?.origin.kind === "constant" ? value.origin.tensor : null;

/** How a value is called in messages: "x", "dense2/Gemm", "constant". */
export function describe(value: Value): string {
  switch (value.origin.kind) {
    case "input":
      return value.origin.name;
    case "constant":
      return "constant";
    case "node":
      return value.origin.node.name;
  }
}

let lastId = 0;

/** The next number for a value or node. One sequence for the whole process, so graphs can be combined freely. */
export const freshId = (): number => ++lastId;
