/** Softmax and LogSoftmax along one axis. */
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

/** y = x − log Σ eˣ:  ẏ = ẋ − Σ eʸ∘ẋ,  x̄ = ȳ − eʸ·Σ ȳ. */
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
  vjp: (g, { outputs: [y], attributes: { axis } }, dy) => [
    g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [axis], { keepDims: true }))),
  ],
});

export const softmaxRules: readonly OpRule[] = [softmax, logSoftmax];
