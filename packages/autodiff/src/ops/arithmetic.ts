/** Add, Sub, Mul, Div, Pow, Min, Max, Sum, Mean, Mod: elementwise with broadcasting. */
import type { Builder } from "../builder/builder.js";
import { addDims, divideDims, exactQuotient, multiplyDims, sizeOf, subtractDims, type Dim } from "../ir/dims.js";
import { producer, type Value } from "../ir/graph.js";
import { isFloat, scalarOf } from "../ir/tensor.js";
import { inferBroadcast, withoutExpand } from "./broadcasting.js";
import { defineOp, int, type Derivative, type OpRule } from "./rule.js";

/** The number a scalar constant was made from, or null. */
export function scalarConstant({ origin, shape }: Value): number | null {
  return origin.kind === "constant" && shape.length === 0 ? (origin.exact ?? scalarOf(origin.tensor)) : null;
}

const isExact = (value: Value, number: number): boolean => scalarConstant(value) === number;

/** Two float scalars that are known, combined. */
function known(g: Builder, [a, b]: readonly [Value, Value], combine: (a: number, b: number) => number): Value | null {
  const [left, right] = [scalarConstant(a), scalarConstant(b)];
  if (left === null || right === null || !isFloat(a.type)) return null;
  return g.constant(combine(left, right), { type: a.type });
}

/** What a value is the negative of, or null. */
function negated(value: Value): Value | null {
  const node = producer(value);
  return node?.op === "Neg" ? node.inputs[0]! : null;
}

/** Ẏ = Ȧ + Ḃ,  Ā = B̄ = Ȳ. */
const add = defineOp({
  op: "Add",
  inputs: ["A", "B"],
  infer: (node) => inferBroadcast(node, addDims),
  simplify: (g, { op, inputs }) => {
    const [a, b] = inputs;
    if (isExact(b, 0)) return a;
    if (isExact(a, 0)) return b;
    const [minusA, minusB] = [negated(a), negated(b)];
    if (minusB) return g.sub(a, minusB);
    if (minusA) return g.sub(b, minusA);
    return known(g, inputs, (x, y) => x + y) ?? withoutExpand(g, op, inputs);
  },
  jvp: (g, { outputs: [y] }, [da, db]) => g.expandTo(g.addTangents(da, db)!, y.shape),
  vjp: (g, { inputs: [a, b] }, dy, [wantA, wantB]) => [
    wantA ? g.sumTo(dy, a.shape) : null,
    wantB ? g.sumTo(dy, b.shape) : null,
  ],
});

/** Ẏ = Ȧ − Ḃ,  Ā = Ȳ, B̄ = −Ȳ. */
const sub = defineOp({
  op: "Sub",
  inputs: ["A", "B"],
  infer: (node) => inferBroadcast(node, subtractDims),
  simplify: (g, { op, inputs }) => {
    const [a, b] = inputs;
    if (isExact(b, 0)) return a;
    const minusB = negated(b);
    if (minusB) return g.add(a, minusB);
    return known(g, inputs, (x, y) => x - y) ?? withoutExpand(g, op, inputs);
  },
  jvp: (g, { outputs: [y] }, [da, db]) => {
    if (da && db) return g.expandTo(g.sub(da, db), y.shape);
    return g.expandTo(da ?? g.neg(db!), y.shape);
  },
  vjp: (g, { inputs: [a, b] }, dy, [wantA, wantB]) => [
    wantA ? g.sumTo(dy, a.shape) : null,
    wantB ? g.neg(g.sumTo(dy, b.shape)) : null,
  ],
});

/** Ẏ = Ȧ∘B + A∘Ḃ,  Ā = Ȳ∘B, B̄ = Ȳ∘A. */
const mul = defineOp({
  op: "Mul",
  inputs: ["A", "B"],
  infer: (node) => inferBroadcast(node, multiplyDims),
  simplify: (g, { op, inputs }) => {
    const [a, b] = inputs;
    if (scalarConstant(b) === null && scalarConstant(a) !== null) return g.mul(b, a);
    if (isExact(b, 1)) return a;
    if (isExact(b, -1)) return g.neg(a);
    return known(g, inputs, (x, y) => x * y) ?? gatherFactors(g, a, b) ?? withoutExpand(g, op, inputs);
  },
  jvp: (g, { inputs: [a, b], outputs: [y] }, [da, db]) => {
    if (a === b) return g.mul(da!, g.mul(a, 2));
    return g.expandTo(g.addTangents(da && g.mul(da, b), db && g.mul(a, db))!, y.shape);
  },
  vjp: (g, { inputs: [a, b] }, dy, [wantA, wantB]) => {
    if (a === b) return [g.mul(g.mul(dy, 2), a), null];
    return [wantA ? g.sumTo(g.mul(dy, b), a.shape) : null, wantB ? g.sumTo(g.mul(dy, a), b.shape) : null];
  },
});

/** Moves known factors together: chains of them are what differentiation leaves behind. */
function gatherFactors(g: Builder, a: Value, b: Value): Value | null {
  if (!isFloat(a.type)) return null;
  const [scale, inner] = [scalarConstant(b), scaledValue(a)];
  if (scale !== null) {
    // (x·c)·d = x·(cd), and (−x)·d = x·(−d)
    if (inner) return g.mul(inner.value, inner.scale * scale);
    const minus = negated(a);
    return minus && g.mul(minus, -scale);
  }
  // (s·c)·t = (s·t)·c for single numbers s and t, so that c meets further factors.
  if (inner && sizeOf(a.shape) === 1 && sizeOf(b.shape) === 1) return g.mul(g.mul(inner.value, b), inner.scale);
  return null;
}

/** x and c of a product x·c with a known number. */
function scaledValue(value: Value): { value: Value; scale: number } | null {
  const node = producer(value);
  const scale = node?.op === "Mul" ? scalarConstant(node.inputs[1]!) : null;
  return scale === null ? null : { value: node!.inputs[0]!, scale };
}

/** Ẏ = (Ȧ − Y∘Ḃ)/B,  Ā = Ȳ/B, B̄ = −Ȳ∘Y/B. */
const div = defineOp({
  op: "Div",
  inputs: ["A", "B"],
  infer: (node) => inferBroadcast(node, (a, b) => (a === 0 ? 0 : b === 0 ? null : truncatedQuotient(a, b))),
  simplify: (g, { op, inputs }) => {
    const [a, b] = inputs;
    if (isExact(b, 1)) return a;
    return known(g, inputs, (x, y) => x / y) ?? withoutExpand(g, op, inputs);
  },
  jvp: (g, { inputs: [, b], outputs: [y] }, [da, db]) => {
    const numerator = db ? (da ? g.sub(da, g.mul(y, db)) : g.neg(g.mul(y, db))) : da!;
    return g.expandTo(g.div(numerator, b), y.shape);
  },
  vjp: (g, { inputs: [a, b], outputs: [y] }, dy, [wantA, wantB]) => {
    const quotient = g.div(dy, b);
    return [wantA ? g.sumTo(quotient, a.shape) : null, wantB ? g.neg(g.sumTo(g.mul(quotient, y), b.shape)) : null];
  },
});

/** ONNX integer division truncates towards zero; sizes are never negative, so a floor is the same. */
function truncatedQuotient(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b);
  return exactQuotient(a, b) ?? divideDims(a, b);
}

/** Y = Aᴮ:  Ẏ = B∘A^(B−1)∘Ȧ + Y∘ln(A)∘Ḃ. The second term only where the exponent varies, and it is 0 where A is. */
const pow = defineOp({
  op: "Pow",
  inputs: ["X", "Y"],
  infer: (node) => {
    const shape = inferBroadcast({
      ...node,
      inputs: [node.inputs[0], { ...node.inputs[1], type: node.inputs[0].type }],
    }).shape;
    return { type: node.inputs[0].type, shape };
  },
  simplify: (g, { inputs: [x, exponent] }) => {
    const power = scalarConstant(exponent);
    if (power === 1) return x;
    if (power === 2) return g.mul(x, x);
    if (power === 0.5 && isFloat(x.type)) return g.sqrt(x);
    return null;
  },
  jvp: (g, { inputs: [x, exponent], outputs: [y] }, [dx, dexponent]) => {
    const base = dx && g.mul(dx, powerSlope(g, x, exponent));
    return g.expandTo(g.addTangents(base, dexponent && g.mul(dexponent, exponentSlope(g, x, y)))!, y.shape);
  },
  vjp: (g, { inputs: [x, exponent], outputs: [y] }, dy, [wantX, wantExponent]) => [
    wantX ? g.sumTo(g.mul(dy, powerSlope(g, x, exponent)), x.shape) : null,
    wantExponent ? g.sumTo(g.mul(dy, exponentSlope(g, x, y)), exponent.shape) : null,
  ],
});

function powerSlope(g: Builder, x: Value, exponent: Value): Value {
  const power = scalarConstant(exponent);
  if (power !== null) return g.mul(g.pow(x, power - 1), power);
  const factor = g.cast(exponent, x.type);
  return g.mul(factor, g.pow(x, g.sub(factor, 1)));
}

function exponentSlope(g: Builder, x: Value, y: Value): Value {
  const positive = g.greater(x, 0);
  return g.where(positive, g.mul(y, g.log(g.where(positive, x, 1))), 0);
}

/** The cotangent goes to the operand that was chosen; where several tie, in equal parts, as JAX has it. */
function extremum(op: "Max" | "Min", pick: (a: number, b: number) => number): OpRule {
  const known = (...dims: Dim[]): Dim | null =>
    dims.every((dim) => dim === dims[0])
      ? dims[0]!
      : dims.every((dim) => typeof dim === "number")
        ? dims.reduce(pick)
        : null;
  const shares = (g: Builder, inputs: readonly Value[], y: Value): Value[] => {
    const chosen = inputs.map((value) => g.cast(g.equal(value, y), y.type));
    const ties = chosen.reduce((sum, each) => g.add(sum, each));
    return chosen.map((each) => g.div(each, ties));
  };
  return defineOp({
    op,
    inputs: ["inputs..."],
    infer: (node) => inferBroadcast(node, known),
    simplify: (_, { inputs }) => (inputs.length === 1 ? inputs[0]! : null),
    jvp: (g, { inputs, outputs: [y] }, tangents) => {
      const parts = shares(g, inputs, y).map((share, i) => tangents[i] && g.mul(tangents[i], share));
      return parts.reduce<Derivative>((sum, part) => g.addTangents(sum, part ?? null), null);
    },
    vjp: (g, { inputs, outputs: [y] }, dy, wanted) =>
      shares(g, inputs, y).map((share, i) => (wanted[i] ? g.sumTo(g.mul(dy, share), inputs[i]!.shape) : null)),
  });
}

/** Sum and Mean of any number of operands. */
function average(op: "Sum" | "Mean", weight: (operands: number) => number): OpRule {
  return defineOp({
    op,
    inputs: ["inputs..."],
    infer: (node) => inferBroadcast(node),
    // As Adds they take part in every simplification of Add.
    simplify: (g, { inputs }) =>
      g.mul(
        inputs.reduce((sum, value) => g.add(sum, value)),
        weight(inputs.length),
      ),
  });
}

/** Y = A − B·⌊A/B⌋ (fmod = 0: the sign of B; fmod = 1: of A). Linear in A; in B with the quotient held fixed. */
const mod = defineOp({
  op: "Mod",
  inputs: ["A", "B"],
  attributes: { fmod: int(0) },
  infer: (node) =>
    inferBroadcast(node, (a, b) => (typeof a === "number" && typeof b === "number" ? a - b * Math.floor(a / b) : null)),
  jvp: (g, { inputs: [a, b], outputs: [y] }, [da, db]) =>
    g.expandTo(g.addTangents(da, db && g.neg(g.mul(db, quotientOf(g, a, b, y))))!, y.shape),
  vjp: (g, { inputs: [a, b], outputs: [y] }, dy, [wantA, wantB]) => [
    wantA ? g.sumTo(dy, a.shape) : null,
    wantB ? g.neg(g.sumTo(g.mul(dy, quotientOf(g, a, b, y)), b.shape)) : null,
  ],
});

const quotientOf = (g: Builder, a: Value, b: Value, y: Value): Value => g.node("Round", [g.div(g.sub(a, y), b)]);

export const arithmeticRules: readonly OpRule[] = [
  add,
  sub,
  mul,
  div,
  pow,
  mod,
  extremum("Max", Math.max),
  extremum("Min", Math.min),
  average("Sum", () => 1),
  average("Mean", (operands) => 1 / operands),
];
