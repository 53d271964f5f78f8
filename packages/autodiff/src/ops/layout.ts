/** Reshape, Transpose, Squeeze, Unsqueeze, Flatten, Expand: the same elements, arranged otherwise or repeated. All linear. */
import type { Builder } from "../builder/builder.js";
import { exactQuotient, sameShape, show, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import { constantOf, producer, type Typed, type Value } from "../ir/graph.js";
import { broadcast, constantTarget } from "../ir/shapes.js";
import { numbersOf } from "../ir/tensor.js";
import { defineOp, fail, int, ints, normalizeAxis, type Derivative, type OpRule } from "./rule.js";

type Named = Parameters<typeof fail>[0];

/** The elements of an integer input that has to be known when the graph is built. */
export function knownIntegers(node: Named, value: Value | null, what: string): number[] | null {
  if (value === null) return null;
  const tensor = constantOf(value);
  if (tensor !== null) return numbersOf(tensor);
  if (value.content?.every((dim) => typeof dim === "number")) return [...value.content];
  return fail(node, `expected ${what} that are known when the graph is built`);
}

/** The elements of an integer input as dimensions; what is not known becomes a symbol of its own. */
export function knownDims(value: Value): readonly Dim[] {
  if (value.content) return value.content;
  const tensor = constantOf(value);
  if (tensor !== null) return numbersOf(tensor);
  const length = value.shape[0];
  return Array.from({ length: typeof length === "number" ? length : 0 }, (_, i) => `unknown${value.id}.${i}`);
}

/** Target shape of a Reshape, its 0 (as in the input) and −1 (what is left) resolved. */
function resolveReshape(node: Named, from: Shape, target: readonly Dim[], allowZero: boolean): Shape {
  const shape = target.map((dim, axis) =>
    dim === 0 && !allowZero ? (from[axis] ?? fail(node, "expected no 0 past the rank of the input")) : dim,
  );
  const at = shape.indexOf(-1);
  if (at >= 0) {
    const others = sizeOf(shape.filter((_, axis) => axis !== at));
    shape[at] =
      exactQuotient(sizeOf(from), others) ?? fail(node, `expected a size that divides by the rest of ${show(shape)}`);
  }
  if (sizeOf(shape) !== sizeOf(from)) fail(node, `expected as many elements as ${show(shape)} has`);
  return shape;
}

const withContent = (x: Value, shape: Shape): { content?: readonly Dim[] } =>
  x.content && shape.length <= 1 ? { content: x.content } : {};

const reshape = defineOp({
  op: "Reshape",
  inputs: ["data", "shape"],
  attributes: { allowzero: int(0) },
  infer: (node) => {
    const [x, target] = node.inputs;
    const shape = resolveReshape(node, x.shape, knownDims(target), node.attributes.allowzero === 1);
    return { type: x.type, shape, ...withContent(x, shape) };
  },
  simplify: (g, node) => {
    const [x, target] = node.inputs;
    const shape = resolveReshape(node, x.shape, knownDims(target), node.attributes.allowzero === 1);
    if (sameShape(shape, x.shape)) return x;
    const inner = producer(x);
    if (inner?.op === "Reshape") return g.reshape(inner.inputs[0]!, shape);
    // One number repeated is one number repeated, in any shape.
    const repeated = inner?.op === "Expand" ? inner.inputs[0]! : null;
    if (repeated && sizeOf(repeated.shape) === 1) return g.expandTo(g.reshape(repeated, []), shape);
    // A computed target whose dimensions are known needs no computing.
    const known = constantOf(target) === null && target.content ? constantTarget(x.shape, shape) : null;
    return known && g.node("Reshape", [x, g.integers(known)]);
  },
  jvp: (g, { outputs: [y] }, [dx]) => g.reshape(dx!, y.shape),
  vjp: (g, { inputs: [x] }, dy) => [g.reshape(dy, x.shape), null],
});

const transpose = defineOp({
  op: "Transpose",
  inputs: ["data"],
  attributes: { perm: ints() },
  infer: (node) => {
    const [x] = node.inputs;
    const perm = permutation(node.attributes.perm, x);
    if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.shape.length) {
      fail(node, `expected a permutation of the axes, not [${perm.join(", ")}]`);
    }
    return { type: x.type, shape: perm.map((axis) => x.shape[axis]!) };
  },
  simplify: (g, { inputs: [x], attributes }) => {
    const perm = permutation(attributes.perm, x);
    if (perm.every((axis, i) => axis === i)) return x;
    const inner = producer(x);
    if (inner?.op !== "Transpose") return null;
    const first = permutation(inner.attributes.perm as readonly number[] | undefined, inner.inputs[0]!);
    return g.transpose(
      inner.inputs[0]!,
      perm.map((axis) => first[axis]!),
    );
  },
  jvp: (g, { inputs: [x], attributes }, [dx]) => g.transpose(dx!, permutation(attributes.perm, x)),
  vjp: (g, { inputs: [x], attributes }, dy) => {
    const perm = permutation(attributes.perm, x);
    return [
      g.transpose(
        dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ];
  },
});

/** The axes' order; reversed where none is given. */
export const permutation = (perm: readonly number[] | undefined, x: Value): readonly number[] =>
  perm ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);

function reshapeTangent(
  g: Builder,
  { outputs: [y] }: { outputs: readonly [Value, ...Value[]] },
  [dx]: readonly Derivative[],
): Value {
  return g.reshape(dx!, y.shape);
}

function reshapeCotangent(
  g: Builder,
  { inputs: [x] }: { inputs: readonly [Value, ...(Value | null)[]] },
  dy: Value,
): Derivative[] {
  return [g.reshape(dy, x.shape), null];
}

const squeeze = defineOp({
  op: "Squeeze",
  inputs: ["data", "axes?"],
  infer: (node) => {
    const [x, axesInput] = node.inputs;
    const given = knownIntegers(node, axesInput, "axes");
    const axes = given
      ? given.map((axis) => normalizeAxis(node, axis, x.shape.length))
      : x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
    if (axes.some((axis) => x.shape[axis] !== 1)) fail(node, `expected axes of size 1 at ${axes.join(", ")}`);
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    return { type: x.type, shape, ...withContent(x, shape) };
  },
  jvp: reshapeTangent,
  vjp: reshapeCotangent,
});

const unsqueeze = defineOp({
  op: "Unsqueeze",
  inputs: ["data", "axes"],
  infer: (node) => {
    const [x, axesInput] = node.inputs;
    const given = knownIntegers(node, axesInput, "axes")!;
    const rank = x.shape.length + given.length;
    const axes = given.map((axis) => normalizeAxis(node, axis, rank));
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
    return { type: x.type, shape, ...withContent(x, shape) };
  },
  jvp: reshapeTangent,
  vjp: reshapeCotangent,
});

/** Y is X as a matrix: the axes before `axis` in one, the others in the other. */
const flatten = defineOp({
  op: "Flatten",
  inputs: ["input"],
  attributes: { axis: int(1) },
  infer: ({ inputs: [x], attributes: { axis } }) => {
    const at = axis < 0 ? axis + x.shape.length : axis;
    return { type: x.type, shape: [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))] };
  },
  jvp: reshapeTangent,
  vjp: reshapeCotangent,
});

/** Y is X repeated to the shape; the cotangent is summed over the repeats. */
const expand = defineOp({
  op: "Expand",
  inputs: ["input", "shape"],
  infer: (node): Typed => {
    const [x, target] = node.inputs;
    const shape =
      broadcast(x.shape, knownDims(target)) ??
      fail(node, `expected a shape that broadcasts with ${show(knownDims(target))}`);
    return {
      type: x.type,
      shape,
      ...(x.content?.length === 1 && shape.length === 1 && typeof shape[0] === "number" && shape[0] <= 64
        ? { content: new Array<Dim>(shape[0]).fill(x.content[0]!) }
        : {}),
    };
  },
  simplify: (g, { inputs: [x, target] }) => {
    const dims = knownDims(target);
    const shape = broadcast(x.shape, dims);
    if (shape === null) return null;
    if (sameShape(shape, x.shape)) return x;
    const inner = producer(x);
    return inner?.op === "Expand" ? g.expandTo(inner.inputs[0]!, shape) : null;
  },
  jvp: (g, { outputs: [y] }, [dx]) => g.expandTo(dx!, y.shape),
  vjp: (g, { inputs: [x] }, dy) => [g.sumTo(dy, x.shape), null],
});

export const layoutRules: readonly OpRule[] = [reshape, transpose, squeeze, unsqueeze, flatten, expand];
