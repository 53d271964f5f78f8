/** A node as the file has it, its inputs already values: what a rewrite sees. */
import type { Builder } from "../builder/builder.js";
import type { AttributeValue, Value } from "../ir/graph.js";
import { constantOf } from "../ir/graph.js";
import { numbersOf, type Tensor } from "../ir/tensor.js";
import type { AttributeProto, GraphProto } from "../onnx/proto.js";
import { attributeTypes } from "../onnx/proto.js";
import type { Refuse } from "./refuse.js";

export interface SourceNode {
  readonly op: string;
  /** "" is ONNX's own. */
  readonly domain: string;
  readonly name: string;
  /** Version of the operator set of `domain`. */
  readonly opset: number;
  /** null where an optional input is left out. Absent trailing inputs are not listed. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly graphs: Readonly<Record<string, GraphProto>>;
  /** How many outputs the node lists, and which of them are used. */
  readonly used: readonly boolean[];
  readonly refuse: Refuse;
  /** "evaluate" reads training-mode nodes as in evaluation. */
  readonly trainingMode: "refuse" | "evaluate";
}

/**
 * Says what a node of the file computes, in ops that have rules. Normalises older forms and composes what has no rule.
 * Returns the outputs in order; absent ones at the end may be left out.
 */
export type Rewrite = (g: Builder, node: SourceNode) => Value | readonly (Value | null)[];

/** Input i, which the operator requires. */
export const need = (node: SourceNode, i: number): Value =>
  node.inputs[i] ?? node.refuse(`expected an input ${i}, which is missing`);

export const optional = (node: SourceNode, i: number): Value | null => node.inputs[i] ?? null;

export function intAttribute(node: SourceNode, name: string, fallback: number): number {
  const value = node.attributes[name] ?? fallback;
  return typeof value === "number" ? value : node.refuse(`attribute ${name} is not a number`);
}

export function stringAttribute(node: SourceNode, name: string, fallback: string): string {
  const value = node.attributes[name] ?? fallback;
  return typeof value === "string" ? value : node.refuse(`attribute ${name} is not a string`);
}

export function intsAttribute(node: SourceNode, name: string): readonly number[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.some((each) => typeof each !== "number"))
    return node.refuse(`attribute ${name} is not a list of numbers`);
  return value as readonly number[];
}

/** The numbers of an input that has to be known when the graph is read. */
export function knownNumbers(node: SourceNode, value: Value, what: string): readonly number[] {
  const tensor = constantOf(value);
  if (tensor !== null) return numbersOf(tensor);
  if (value.content?.every((dim) => typeof dim === "number")) return value.content;
  return node.refuse(`${what} must be known when the model is read; it is computed from other values`);
}

/** Attributes as plain values; subgraphs apart. `readTensor` decodes tensors. */
export function readAttributes(
  protos: readonly AttributeProto[],
  readTensor: (attribute: AttributeProto) => Tensor,
  refuse: Refuse,
): Pick<SourceNode, "attributes" | "graphs"> {
  const attributes: Record<string, AttributeValue> = {};
  const graphs: Record<string, GraphProto> = {};
  for (const proto of protos) {
    if (proto.ref_attr_name) continue; // an optional attribute of the function that the call does not give
    const { name } = proto;
    if (name === undefined || name === "") refuse("an attribute has no name");
    switch (proto.type ?? guessType(proto)) {
      case attributeTypes.float:
        attributes[name] = proto.f ?? 0;
        break;
      case attributeTypes.int:
        attributes[name] = proto.i ?? 0;
        break;
      case attributeTypes.string:
        attributes[name] = decodeText(proto.s);
        break;
      case attributeTypes.tensor:
        attributes[name] = readTensor(proto);
        break;
      case attributeTypes.graph:
        graphs[name] = proto.g ?? {};
        break;
      case attributeTypes.floats:
        attributes[name] = proto.floats ?? [];
        break;
      case attributeTypes.ints:
        attributes[name] = proto.ints ?? [];
        break;
      case attributeTypes.strings:
        attributes[name] = (proto.strings ?? []).map(decodeText);
        break;
      default:
        refuse(`attribute ${name} has type ${proto.type}, which Sedge does not read`);
    }
  }
  return { attributes, graphs };
}

const decodeText = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array());

/** Files of the first years of ONNX leave the type out. */
function guessType(proto: AttributeProto): number {
  if (proto.t) return attributeTypes.tensor;
  if (proto.g) return attributeTypes.graph;
  if (proto.s) return attributeTypes.string;
  if (proto.floats) return attributeTypes.floats;
  if (proto.ints) return attributeTypes.ints;
  if (proto.strings) return attributeTypes.strings;
  return proto.f === undefined ? attributeTypes.int : attributeTypes.float;
}
