/**
 * Reductions over any axes. Each says how a change of the input changes the result, in terms of y kept with axes of
 * size 1, so that it broadcasts against x:
 *
 *     jvp   ẏ = Σ w(x, y)∘ẋ     vjp   x̄ = w(x, y)∘ȳ
 */
import type { Builder } from "../builder/builder.js";
import { sizeOf, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { resolveAxes } from "../ir/shapes.js";
import { knownIntegers } from "./layout.js";
import { defineOp, int, normalizeAxis, type OpRule } from "./rule.js";

/** The weight w(x, y), of x's shape or broadcasting to it; null for 1. */
type Weight = (g: Builder, x: Value, y: Value, axes: readonly number[]) => Value | null;

const attributes = { keepdims: int(1), noop_with_empty_axes: int(0) };

interface ReduceNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly [Value, Value | null];
  readonly attributes: { readonly keepdims: number; readonly noop_with_empty_axes: number };
}

/** The axes summed over, ascending. */
function axesOf(node: ReduceNode): number[] {
  const [x, axes] = node.inputs;
  const rank = x.shape.length;
  const given = knownIntegers(node, axes, "axes");
  if (given === null || given.length === 0) return node.attributes.noop_with_empty_axes ? [] : resolveAxes(null, rank);
  return resolveAxes(
    given.map((axis) => normalizeAxis(node, axis, rank)),
    rank,
  );
}

export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** A linear reduction is its own jvp. */
function reduction(op: string, weight: Weight, { linear = false } = {}): OpRule {
  return defineOp({
    op,
    inputs: ["data", "axes?"],
    attributes,
    infer: (node) => {
      const [x] = node.inputs;
      return { type: x.type, shape: reducedShape(x.shape, axesOf(node), node.attributes.keepdims === 1) };
    },
    simplify: (_, node) => (linear && axesOf(node).length === 0 ? node.inputs[0] : null),
    jvp: (g, node, [dx]) => {
      const [x, axesInput] = node.inputs;
      if (linear) return g.node(op, [dx, axesInput], node.attributes);
      const axes = axesOf(node);
      const w = weight(g, x, keep(g, node.outputs[0], x.shape, axes), axes);
      return g.reduceSum(w ? g.mul(dx!, w) : dx!, axes, { keepDims: node.attributes.keepdims === 1 });
    },
    vjp: (g, node, dy) => {
      const [x] = node.inputs;
      const axes = axesOf(node);
      const w = weight(g, x, keep(g, node.outputs[0], x.shape, axes), axes);
      const kept = g.expandTo(keep(g, dy, x.shape, axes), x.shape);
      return [w ? g.mul(kept, w) : kept, null];
    },
  });
}

/** A reduced value with the reduced axes back, of size 1. */
const keep = (g: Builder, y: Value, shape: Shape, axes: readonly number[]): Value =>
  g.reshape(y, reducedShape(shape, axes, true));

/** The largest share it among themselves in equal parts. */
const extremumWeight: Weight = (g, x, y, axes) => {
  const chosen = g.cast(g.equal(x, y), x.type);
  return g.div(chosen, g.reduceSum(chosen, axes, { keepDims: true }));
};

const meanWeight: Weight = (g, x, _, axes) => {
  const shape = axes.map((axis) => x.shape[axis]!);
  const size = sizeOf(shape);
  return typeof size === "number" ? g.constant(1 / size, { type: x.type }) : g.reciprocal(g.count(shape, x.type));
};

/**
 * Product: the weight of x_i is the product of the others, y/x_i where no element is 0. With zeros: of a single zero it is
 * the product of the rest, of two or more it is 0.
 */
const productWeight: Weight = (g, x, y, axes) => {
  const isZero = g.equal(x, 0);
  const zeros = g.reduceSum(g.cast(isZero, x.type), axes, { keepDims: true });
  const rest = g.reduceProd(g.where(isZero, 1, x), axes, { keepDims: true });
  const atZero = g.where(g.equal(zeros, 1), rest, 0);
  return g.where(isZero, atZero, g.div(y, g.where(isZero, 1, x)));
};

export const reductionRules: readonly OpRule[] = [
  reduction("ReduceSum", () => null, { linear: true }),
  reduction("ReduceMean", meanWeight, { linear: true }),
  reduction("ReduceMax", extremumWeight),
  reduction("ReduceMin", extremumWeight),
  reduction("ReduceProd", productWeight),
  reduction("ReduceSumSquare", (g, x) => g.mul(x, 2)),
  reduction("ReduceL1", (g, x) => g.sign(x)),
  // ‖x‖ has no derivative at 0; 0 is a subgradient.
  reduction("ReduceL2", (g, x, y) => g.div(x, g.where(g.equal(y, 0), 1, y))),
  reduction("ReduceLogSum", (g, _x, y) => g.exp(g.neg(y))),
  reduction("ReduceLogSumExp", (g, x, y) => g.exp(g.sub(x, y))),
];
