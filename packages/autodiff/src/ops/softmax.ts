/** Softmax and LogSoftmax along one axis. */
import { constantOf, producer, type Attributes, type Value } from "../ir/graph.js";
import { defineOp, int, normalizeAxis, type OpRule } from "./rule.js";

/** y = softmax(x). Its Jacobian diag(y) − y·yᵀ is symmetric, so jvp and vjp are one formula: y∘(v − Σ y∘v). */
const softmax = defineOp({
  op: "Softmax",
  inputs: ["input"],
  attributes: { axis: int(-1) },
  infer: (node) => {
    const [x] = node.inputs;
    normalizeAxis(node, node.attributes.axis, x.shape.length);
    return { type: x.type, shape: x.shape };
  },
  jvp: (g, { outputs: [y], attributes: { axis } }, [dx]) =>
    g.mul(y, g.sub(dx!, g.reduceSum(g.mul(y, dx!), [axis], { keepDims: true }))),
  vjp: (g, { outputs: [y], attributes: { axis } }, dy) => [
    g.mul(y, g.sub(dy, g.reduceSum(g.mul(y, dy), [axis], { keepDims: true }))),
  ],
});

/**
 * y = x − log Σ eˣ:  ẏ = ẋ − Σ eʸ∘ẋ,  x̄ = ȳ − eʸ·Σ ȳ.
 *
 * A cotangent that is zero but at chosen places, which is what labels give, is added to the second term there.
 */
const logSoftmax = defineOp({
  op: "LogSoftmax",
  inputs: ["input"],
  attributes: { axis: int(-1) },
  infer: (node) => {
    const [x] = node.inputs;
    normalizeAxis(node, node.attributes.axis, x.shape.length);
    return { type: x.type, shape: x.shape };
  },
  jvp: (g, { outputs: [y], attributes: { axis } }, [dx]) =>
    g.sub(dx!, g.reduceSum(g.mul(g.exp(y), dx!), [axis], { keepDims: true })),
  vjp: (g, { outputs: [y], attributes: { axis } }, dy) => {
    const total = (of: Value): Value => g.neg(g.reduceSum(of, [axis], { keepDims: true }));
    const chosen = addedToZeros(dy, axis < 0 ? axis + y.shape.length : axis);
    if (chosen === null) return [g.add(dy, g.mul(g.exp(y), total(dy)))];
    const { indices, updates, attributes } = chosen;
    return [g.node("ScatterElements", [g.mul(g.exp(y), total(updates)), indices, updates], attributes)];
  },
});

/** What was added to zeros along this axis, if a value is nothing else. */
function addedToZeros(value: Value, axis: number): { indices: Value; updates: Value; attributes: Attributes } | null {
  const node = producer(value);
  if (node?.op !== "ScatterElements" || node.attributes.axis !== axis || node.attributes.reduction !== "add")
    return null;
  const [data, indices, updates] = node.inputs as readonly [Value, Value, Value];
  const filled = producer(data);
  const element = filled?.op === "Expand" ? filled.inputs[0]! : data;
  const zero = constantOf(element)?.data.every((each) => Number(each) === 0) ?? false;
  return zero ? { indices, updates, attributes: node.attributes } : null;
}

export const softmaxRules: readonly OpRule[] = [softmax, logSoftmax];
