/** Comparisons, logic, Where, Clip and Cast. */
import type { Dim } from "../ir/dims.js";
import { surelyDiffer } from "../ir/dims.js";
import { isFloat } from "../ir/tensor.js";
import { onnxTypes } from "../onnx/types.js";
import { broadcastShape, contentOf, inferBroadcast, withoutExpand } from "./broadcasting.js";
import { defineOp, fail, int, type OpRule } from "./rule.js";

/** A comparison of dimensions that is known, as 1 or 0, or null. */
type Known = (a: Dim, b: Dim) => Dim | null;

const numeric =
  (compare: (a: number, b: number) => boolean): Known =>
  (a, b) =>
    typeof a === "number" && typeof b === "number" ? Number(compare(a, b)) : null;

// A size is never negative, so it is known to differ from the −1 that stands for "infer this" in shape arithmetic.
const equalKnown: Known = (a, b) => {
  if (a === b) return 1;
  if (surelyDiffer(a, b) || a === -1 || b === -1) return 0;
  return null;
};

function comparison(op: string, known?: Known): OpRule {
  return defineOp({ op, inputs: ["A", "B"], infer: (node) => inferBroadcast(node, known, "bool") });
}

function logic(op: "And" | "Or" | "Xor", known: (a: boolean, b: boolean) => boolean): OpRule {
  return defineOp({
    op,
    inputs: ["A", "B"],
    infer: (node) => {
      if (node.inputs.some(({ type }) => type !== "bool")) fail(node, "expected bool operands");
      return inferBroadcast(
        node,
        numeric((a, b) => known(a !== 0, b !== 0)),
      );
    },
  });
}

const test = (op: "IsNaN"): OpRule =>
  defineOp({ op, inputs: ["X"], infer: ({ inputs: [x] }) => ({ type: "bool", shape: x.shape }) });

/** Y = X where the condition holds, else Z. The cotangent is masked the same way. */
const where = defineOp({
  op: "Where",
  inputs: ["condition", "X", "Y"],
  infer: (node) => {
    const [condition, x, y] = node.inputs;
    if (condition.type !== "bool") fail(node, "expected a bool condition");
    if (x.type !== y.type) fail(node, "expected both branches of one type");
    return {
      type: x.type,
      shape: broadcastShape(node),
      ...contentOf(node.inputs, (c, a, b) => (a === b ? a : typeof c === "number" ? (c ? a : b) : null)),
    };
  },
  simplify: (g, { op, inputs }) => withoutExpand(g, op, inputs),
  jvp: (g, { inputs: [condition], outputs: [y] }, [, dx, dy]) =>
    g.expandTo(g.where(condition, dx ?? 0, dy ?? 0, y.type), y.shape),
  vjp: (g, { inputs: [condition, x, y] }, cotangent, [, wantX, wantY]) => [
    null,
    wantX ? g.sumTo(g.where(condition, cotangent, 0), x.shape) : null,
    wantY ? g.sumTo(g.where(condition, 0, cotangent), y.shape) : null,
  ],
});

/** Y = min(max(X, low), high). The cotangent passes where X was let through; the bounds get none. */
const clip = defineOp({
  op: "Clip",
  inputs: ["input", "min?", "max?"],
  infer: ({ inputs: [x] }) => ({ type: x.type, shape: x.shape }),
  jvp: (g, { inputs: [x], outputs: [y] }, [dx]) => dx && g.mul(dx, g.cast(g.equal(x, y), x.type)),
  vjp: (g, { inputs: [x], outputs: [y] }, dy) => [g.mul(dy, g.cast(g.equal(x, y), x.type)), null, null],
});

/** Between float types, Cast is linear; from or to others, a step. */
const cast = defineOp({
  op: "Cast",
  inputs: ["input"],
  attributes: { to: int(), saturate: int(1) },
  infer: (node) => {
    const [x] = node.inputs;
    const type = onnxTypes.nameOf(node.attributes.to ?? 0) ?? fail(node, "expected a known type to cast to");
    const exact = x.content && !isFloat(type) && type !== "bool";
    return { type, shape: x.shape, ...(exact ? { content: x.content } : {}) };
  },
  simplify: (_, { inputs: [x], attributes }) => (onnxTypes.nameOf(attributes.to ?? 0) === x.type ? x : null),
  jvp: (g, { outputs: [y] }, [dx]) => (isFloat(y.type) ? g.cast(dx!, y.type) : null),
  vjp: (g, { inputs: [x] }, dy) => [g.cast(dy, x.type)],
});

export const selectionRules: readonly OpRule[] = [
  comparison("Equal", equalKnown),
  comparison(
    "Greater",
    numeric((a, b) => a > b),
  ),
  comparison(
    "GreaterOrEqual",
    numeric((a, b) => a >= b),
  ),
  comparison(
    "Less",
    numeric((a, b) => a < b),
  ),
  comparison(
    "LessOrEqual",
    numeric((a, b) => a <= b),
  ),
  logic("And", (a, b) => a && b),
  logic("Or", (a, b) => a || b),
  logic("Xor", (a, b) => a !== b),
  defineOp({
    op: "Not",
    inputs: ["X"],
    infer: ({ inputs: [x] }) => ({
      type: "bool",
      shape: x.shape,
      ...contentOf([x], (a) => (typeof a === "number" ? 1 - a : null)),
    }),
  }),
  test("IsNaN"),
  where,
  clip,
  cast,
];
