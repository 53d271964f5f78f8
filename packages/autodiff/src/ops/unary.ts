/**
 * Elementwise functions of one argument. Each is its name and its slope:
 *
 *     y = f(x)      jvp   ẏ = f′(x)·ẋ      vjp   x̄ = f′(x)·ȳ
 *
 * A slope is written in terms of y where that is cheaper.
 */
import type { Builder } from "../builder/builder.js";
import { subtractDims } from "../ir/dims.js";
import { producer, type Value } from "../ir/graph.js";
import { scalarConstant } from "./arithmetic.js";
import { asin64, atan64, erf64 } from "./float64-functions.js";
import { defineOp, float, string, type AttributeSpecs, type AttributesOf, type OpRule } from "./rule.js";

type Slope<A extends AttributeSpecs> = (g: Builder, x: Value, y: Value, attributes: AttributesOf<A>) => Value;

interface UnaryOptions<A extends AttributeSpecs> {
  readonly attributes?: A;
  /** y from ops that have float64 kernels, where this one has none. */
  readonly float64?: (g: Builder, x: Value, attributes: AttributesOf<A>) => Value;
}

function unary<const A extends AttributeSpecs = Record<never, never>>(
  op: string,
  slope: Slope<A> | null,
  { attributes: specs, float64 }: UnaryOptions<A> = {},
): OpRule {
  return defineOp<["X"], A>({
    op,
    inputs: ["X"],
    ...(specs ? { attributes: specs } : {}),
    infer: ({ inputs: [x] }) => ({ type: x.type, shape: x.shape }),
    // f of a repeated value is f of the value, repeated.
    simplify: (g, { inputs: [x], attributes }) => {
      const node = producer(x);
      return node?.op === "Expand"
        ? g.node("Expand", [g.node(op, [node.inputs[0]!], attributes), node.inputs[1]!])
        : null;
    },
    ...(float64 && { float64: (g, { inputs: [x], attributes }) => float64(g, x, attributes) }),
    ...(slope && {
      jvp: (g, { inputs: [x], outputs: [y], attributes }, [dx]) => g.mul(dx!, slope(g, x, y, attributes)),
      vjp: (g, { inputs: [x], outputs: [y], attributes }, dy) => [g.mul(dy, slope(g, x, y, attributes))],
    }),
  });
}

const SQRT_2 = Math.SQRT2;
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

/** Gelu, y = x·Φ(x):  y′ = Φ(x) + x·φ(x), Φ the normal distribution, φ its density. */
function geluSlope(g: Builder, x: Value): Value {
  const u = g.mul(x, 1 / SQRT_2);
  const cumulative = g.mul(g.add(g.erf(u), 1), 0.5);
  const density = g.exp(g.sub(-0.5 * Math.log(2 * Math.PI), g.mul(u, u)));
  return g.add(cumulative, g.mul(x, density));
}

/** Gelu by tanh, y = ½x(1 + t), t = tanh(u), u = √(2/π)(x + 0.044715x³):  y′ = ½(1 + t) + ½x(1 − t²)u′. */
function geluTanhSlope(g: Builder, x: Value): Value {
  const square = g.mul(x, x);
  const t = g.tanh(g.mul(g.mul(x, g.add(g.mul(square, 0.044715), 1)), SQRT_2_OVER_PI));
  const inner = g.mul(g.add(g.mul(square, 3 * 0.044715), 1), SQRT_2_OVER_PI);
  return g.mul(g.add(g.add(t, 1), g.mul(g.mul(x, g.sub(1, g.mul(t, t))), inner)), 0.5);
}

/** Mish, y = x·t, t = tanh(softplus(x)):  y′ = t + x(1 − t²)σ(x). */
function mishSlope(g: Builder, x: Value): Value {
  const t = g.tanh(g.softplus(x));
  return g.add(t, g.mul(g.mul(x, g.sub(1, g.mul(t, t))), g.sigmoid(x)));
}

/** eˣ − 1. */
const expMinus1 = (g: Builder, x: Value): Value => g.sub(g.exp(x), 1);

function gelu64(g: Builder, x: Value, { approximate }: { approximate: string }): Value {
  if (approximate !== "tanh") return g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, 1 / SQRT_2)), 1));
  const u = g.mul(g.mul(x, g.add(g.mul(g.mul(x, x), 0.044715), 1)), SQRT_2_OVER_PI);
  return g.mul(g.mul(x, 0.5), g.add(g.tanh(u), 1));
}

const identityLike: OpRule = defineOp({
  op: "Identity",
  inputs: ["X"],
  infer: ({ inputs: [x] }) => x,
  simplify: (_, { inputs: [x] }) => x,
});

export const unaryRules: readonly OpRule[] = [
  identityLike,
  defineOp({
    op: "Neg",
    inputs: ["X"],
    infer: ({ inputs: [x] }) => ({
      type: x.type,
      shape: x.shape,
      ...(x.content && { content: x.content.map((dim) => subtractDims(0, dim)) }),
    }),
    simplify: (g, { inputs: [x] }) => {
      const node = producer(x);
      if (node?.op === "Neg") return node.inputs[0]!;
      const scale = node?.op === "Mul" ? scalarConstant(node.inputs[1]!) : null;
      if (scale !== null) return g.mul(node!.inputs[0]!, -scale);
      return node?.op === "Expand" ? g.node("Expand", [g.neg(node.inputs[0]!), node.inputs[1]!]) : null;
    },
    jvp: (g, _, [dx]) => g.neg(dx!),
    vjp: (g, _, dy) => [g.neg(dy)],
  }),
  unary("Sqrt", (g, _, y) => g.div(0.5, y)),
  unary("Exp", (_g, _x, y) => y),
  unary("Log", (g, x) => g.reciprocal(x)),
  unary("Abs", (g, x) => g.sign(x)),
  unary("Reciprocal", (g, _, y) => g.neg(g.mul(y, y))),
  unary("Sin", (g, x) => g.cos(x)),
  unary("Cos", (g, x) => g.neg(g.sin(x))),
  unary("Tan", (g, _, y) => g.add(g.mul(y, y), 1), { float64: (g, x) => g.div(g.sin(x), g.cos(x)) }),
  unary("Asin", (g, x) => g.reciprocal(g.sqrt(g.sub(1, g.mul(x, x)))), { float64: asin64 }),
  unary("Acos", (g, x) => g.neg(g.reciprocal(g.sqrt(g.sub(1, g.mul(x, x))))), {
    float64: (g, x) => g.sub(Math.PI / 2, asin64(g, x)),
  }),
  unary("Atan", (g, x) => g.reciprocal(g.add(g.mul(x, x), 1)), { float64: atan64 }),
  unary("Sinh", (g, x) => g.node("Cosh", [x]), { float64: (g, x) => g.mul(g.sub(g.exp(x), g.exp(g.neg(x))), 0.5) }),
  unary("Cosh", (g, x) => g.node("Sinh", [x]), { float64: (g, x) => g.mul(g.add(g.exp(x), g.exp(g.neg(x))), 0.5) }),
  unary("Tanh", (g, _, y) => g.sub(1, g.mul(y, y))),
  unary("Sigmoid", (g, _, y) => g.mul(y, g.sub(1, y))),
  unary("Erf", (g, x) => g.mul(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)), { float64: erf64 }),
  unary("Relu", (g, _, y) => g.sign(y)),
  unary("LeakyRelu", (g, x, _, { alpha }) => g.where(g.greater(x, 0), 1, alpha, x.type), {
    attributes: { alpha: float(0.01) },
    float64: (g, x, { alpha }) => g.where(g.greater(x, 0), x, g.mul(x, alpha)),
  }),
  // Elu, y = α(eˣ − 1) below 0: there y′ = y + α.
  unary("Elu", (g, x, y, { alpha }) => g.where(g.greater(x, 0), 1, g.add(y, alpha)), {
    attributes: { alpha: float(1) },
    float64: (g, x, { alpha }) => g.where(g.greater(x, 0), x, g.mul(expMinus1(g, x), alpha)),
  }),
  unary("Celu", (g, x, y, { alpha }) => g.where(g.greater(x, 0), 1, g.add(g.mul(y, 1 / alpha), 1)), {
    attributes: { alpha: float(1) },
    float64: (g, x, { alpha }) => g.where(g.greater(x, 0), x, g.mul(expMinus1(g, g.mul(x, 1 / alpha)), alpha)),
  }),
  unary("Selu", (g, x, y, { alpha, gamma }) => g.where(g.greater(x, 0), gamma, g.add(y, alpha * gamma)), {
    attributes: { alpha: float(1.6732632423543772), gamma: float(1.0507009873554805) },
    float64: (g, x, { alpha, gamma }) => g.mul(g.where(g.greater(x, 0), x, g.mul(expMinus1(g, x), alpha)), gamma),
  }),
  unary("ThresholdedRelu", (g, x, _, { alpha }) => g.where(g.greater(x, alpha), 1, 0, x.type), {
    attributes: { alpha: float(1) },
    float64: (g, x, { alpha }) => g.where(g.greater(x, alpha), x, 0),
  }),
  unary("Softplus", (g, x) => g.sigmoid(x), {
    float64: (g, x) => g.add(g.max(x, 0), g.log(g.add(g.exp(g.neg(g.abs(x))), 1))),
  }),
  // Softsign, y = x/(1 + |x|):  y′ = (1 − |y|)².
  unary("Softsign", (g, _, y) => g.mul(g.sub(1, g.abs(y)), g.sub(1, g.abs(y))), {
    float64: (g, x) => g.div(x, g.add(g.abs(x), 1)),
  }),
  unary("HardSigmoid", (g, _, y, { alpha }) => g.mul(g.sign(g.mul(y, g.sub(1, y))), alpha), {
    attributes: { alpha: float(0.2), beta: float(0.5) },
    float64: (g, x, { alpha, beta }) => g.clip(g.add(g.mul(x, alpha), beta), 0, 1),
  }),
  // HardSwish, y = x·clip(x/6 + ½, 0, 1):  y′ = (2x + 3)/6 between −3 and 3.
  unary("HardSwish", (g, x) => g.where(g.less(x, -3), 0, g.where(g.greater(x, 3), 1, g.add(g.mul(x, 1 / 3), 0.5))), {
    float64: (g, x) => g.mul(x, g.clip(g.add(g.mul(x, 1 / 6), 0.5), 0, 1)),
  }),
  unary("Mish", mishSlope, { float64: (g, x) => g.mul(x, g.tanh(g.softplus(x))) }),
  unary("Gelu", (g, x, _, { approximate }) => (approximate === "tanh" ? geluTanhSlope(g, x) : geluSlope(g, x)), {
    attributes: { approximate: string("none") },
    float64: gelu64,
  }),
  // Steps: flat wherever they have a derivative.
  unary("Sign", null),
  unary("Floor", null),
  unary("Ceil", null),
  unary("Round", null),
];
