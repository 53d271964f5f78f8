/** What elementwise ops of several operands share: broadcasting, integer arithmetic on shapes, moving Expand outwards. */
import type { Builder } from "../builder/builder.js";
import { sameShape, type Dim, type Shape } from "../ir/dims.js";
import { producer, type Typed, type Value } from "../ir/graph.js";
import { broadcast } from "../ir/shapes.js";
import type { DataType } from "../ir/tensor.js";
import { fail } from "./rule.js";

interface BroadcastNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Value[];
}

/** The common shape of the operands. @throws ShapeError if they do not broadcast. */
export function broadcastShape(node: BroadcastNode): Shape {
  return (
    broadcast(...node.inputs.map(({ shape }) => shape)) ?? fail(node, "expected shapes that broadcast, axes equal or 1")
  );
}

/** Type and shape for operands of one type; `combine` works out known elements. */
export function inferBroadcast(node: BroadcastNode, combine?: (...dims: Dim[]) => Dim | null, type?: DataType): Typed {
  const [first] = node.inputs;
  if (node.inputs.some((value) => value.type !== first!.type)) fail(node, "expected operands of one type");
  return { type: type ?? first!.type, shape: broadcastShape(node), ...contentOf(node.inputs, combine) };
}

/** Elements that can be worked out from the operands' known elements. */
export function contentOf(
  inputs: readonly Value[],
  combine: ((...dims: Dim[]) => Dim | null) | undefined,
): { content?: readonly Dim[] } {
  if (combine === undefined || !inputs.every(({ content }) => content)) return {};
  const length = Math.max(...inputs.map(({ content }) => content!.length));
  const content: Dim[] = [];
  for (let i = 0; i < length; i++) {
    const dim = combine(...inputs.map(({ content }) => content![content!.length === 1 ? 0 : i]!));
    if (dim === null) return {};
    content.push(dim);
  }
  return { content };
}

/**
 * The same op with fewer elements to touch: an operand repeated by Expand is used unrepeated where the others give the
 * result its shape; where the others are scalars, the op goes inside the Expand.
 */
export function withoutExpand(g: Builder, op: string, inputs: readonly Value[]): Value | null {
  for (const [at, value] of inputs.entries()) {
    const node = producer(value);
    if (node?.op !== "Expand") continue;
    const [source, target] = node.inputs as [Value, Value];
    const others = inputs.filter((_, i) => i !== at);
    const bare = inputs.map((other, i) => (i === at ? source : other));
    const shape = broadcast(...inputs.map((each) => each.shape));
    const bareShape = broadcast(...bare.map((each) => each.shape));
    if (shape === null || bareShape === null) return null;
    if (sameShape(bareShape, shape)) return g.node(op, bare);
    if (others.every((other) => other.shape.length === 0)) return g.node("Expand", [g.node(op, bare), target]);
  }
  return null;
}
