/** Forms of operators that changed between opsets, and constants: brought to the form that the rules describe. */
import { sizeOf } from "../ir/dims.js";
import type { Attributes, AttributeValue } from "../ir/graph.js";
import { scalarOf, tensor } from "../ir/tensor.js";
import { constantOf } from "../ir/graph.js";
import { onnxTypes } from "../onnx/types.js";
import { intAttribute, intsAttribute, need, optional, stringAttribute, type Rewrite } from "./source.js";

const isTensor = (value: AttributeValue | undefined): value is Extract<AttributeValue, { data: unknown }> =>
  typeof value === "object" && "data" in value;

const constant: Rewrite = (g, node) => {
  const { value, value_float: float, value_floats: floats, value_int: int, value_ints: ints } = node.attributes;
  if (isTensor(value)) return g.constant(value);
  if (typeof float === "number") return g.constant(tensor([float], [], "float32"));
  if (Array.isArray(floats)) return g.constant(tensor(floats as number[], [floats.length], "float32"));
  if (typeof int === "number") return g.constant(tensor([int], [], "int64"));
  if (Array.isArray(ints)) return g.constant(tensor(ints as number[], [ints.length], "int64"));
  return node.refuse("a constant that is neither a tensor nor numbers");
};

/** Reductions took their axes as an attribute before opset 18 (ReduceSum: 13). */
const reduction: Rewrite = (g, node) => {
  const axes = intsAttribute(node, "axes");
  const input = optional(node, 1) ?? (axes ? g.integers(axes) : null);
  return g.node(node.op, [need(node, 0), input], {
    keepdims: intAttribute(node, "keepdims", 1),
    noop_with_empty_axes: intAttribute(node, "noop_with_empty_axes", 0),
  });
};

/** Squeeze and Unsqueeze took their axes as an attribute before opset 13. */
const axesAsInput: Rewrite = (g, node) => {
  const axes = intsAttribute(node, "axes");
  return g.node(node.op, [need(node, 0), optional(node, 1) ?? (axes ? g.integers(axes) : null)]);
};

/** Split took its sizes as an attribute before opset 13; without sizes or num_outputs the parts are equal. */
const split: Rewrite = (g, node) => {
  const x = need(node, 0);
  const axis = intAttribute(node, "axis", 0);
  const sizes = intsAttribute(node, "split");
  const parts = optional(node, 1) ?? (sizes ? g.integers(sizes) : null);
  if (node.used.length === 1 && parts === null) return x;
  return g.nodeOutputs(
    "Split",
    [x, parts],
    parts ? { axis } : { axis, num_outputs: intAttribute(node, "num_outputs", node.used.length) },
  );
};

/** Before opset 13, everything from the axis on was one axis, by default from 1. */
const softmax: Rewrite = (g, node) => {
  const x = need(node, 0);
  if (node.opset >= 13) return g.node(node.op, [x], { axis: intAttribute(node, "axis", -1) });
  const axis = intAttribute(node, "axis", 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const matrix = g.reshape(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
  return g.reshape(g.node(node.op, [matrix], { axis: -1 }), x.shape);
};

/** The identity, unless exported for training. */
const dropout: Rewrite = (g, node) => {
  const x = need(node, 0);
  const training = optional(node, 2);
  const known = training && constantOf(training);
  const isTraining = training !== null && (known === null || scalarOf(known) !== 0);
  if (isTraining && node.trainingMode === "refuse") {
    node.refuse(
      'training-mode Dropout draws a random mask. Export in evaluation mode (model.eval()), or pass { trainingMode: "evaluate" } to read it as the identity',
    );
  }
  return [x, node.used[1] ? g.cast(g.full(x.shape, 1, x), "bool") : null];
};

const cast: Rewrite = (g, node) => g.node("Cast", [need(node, 0)], { to: intAttribute(node, "to", 0) });

const castLike: Rewrite = (g, node) => g.node("Cast", [need(node, 0)], { to: onnxTypes.numberOf(need(node, 1).type) });

/** One value repeated to a shape. */
const constantOfShape: Rewrite = (g, node) => {
  const value = node.attributes.value;
  const fill = isTensor(value) ? value : tensor([0], [1], "float32");
  if (fill.data.length !== 1) node.refuse("value must hold one element");
  const target = need(node, 0);
  return g.node("Expand", [g.constant(tensor(fill.data, [], fill.type)), target]);
};

/** ConvTranspose that states its output's shape, or asks for SAME padding, in the form with pads. */
const convTranspose: Rewrite = (g, node) => {
  const x = need(node, 0);
  const w = need(node, 1);
  const { auto_pad: autoPad = "NOTSET", ...attributes } = node.attributes;
  const rank = x.shape.length - 2;
  const list = (name: string, fallback: number): readonly number[] =>
    intsAttribute(node, name) ?? new Array<number>(rank).fill(fallback);
  const strides = list("strides", 1);
  const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  const given = intsAttribute(node, "output_shape");
  let pads: readonly number[] = intsAttribute(node, "pads") ?? new Array<number>(2 * rank).fill(0);
  if (given?.length || same) {
    const [dilations, extra] = [list("dilations", 1), list("output_padding", 0)];
    const totals = strides.map((stride, i) => {
      const [size, kernel] = [x.shape[i + 2], w.shape[i + 2]];
      if (typeof size !== "number" || typeof kernel !== "number")
        return node.refuse("output_shape and auto_pad need known spatial sizes; pass { shapes }");
      const wanted = given?.length ? given.at(i - rank)! : size * stride;
      return Math.max(0, stride * (size - 1) + extra[i]! + (kernel - 1) * dilations[i]! + 1 - wanted);
    });
    const small = totals.map((total) => Math.floor(total / 2));
    const large = totals.map((total, i) => total - small[i]!);
    pads = autoPad === "SAME_UPPER" ? [...small, ...large] : [...large, ...small];
  } else if (autoPad === "VALID") {
    pads = new Array<number>(2 * rank).fill(0);
  }
  return g.node("ConvTranspose", [x, w, optional(node, 2)], {
    ...(attributes as Attributes),
    output_shape: undefined,
    pads,
  });
};

/** x where positive, else x times a slope, which is a parameter. */
const pRelu: Rewrite = (g, node) => {
  const x = need(node, 0);
  return g.where(g.greater(x, 0), x, g.mul(x, need(node, 1)));
};

/** 0 within ±lambd, moved towards 0 by bias outside. */
const shrink: Rewrite = (g, node) => {
  const x = need(node, 0);
  const { bias = 0, lambd = 0.5 } = node.attributes as { bias?: number; lambd?: number };
  return g.where(g.less(x, -lambd), g.add(x, bias), g.where(g.greater(x, lambd), g.sub(x, bias), 0));
};

const lpNormalization: Rewrite = (g, node) => {
  const x = need(node, 0);
  const p = intAttribute(node, "p", 2);
  const axes = g.integers([intAttribute(node, "axis", -1)]);
  return g.div(x, g.node(p === 1 ? "ReduceL1" : "ReduceL2", [x, axes], { keepdims: 1 }));
};

const gelu: Rewrite = (g, node) => {
  const approximate = stringAttribute(node, "approximate", "none");
  if (approximate !== "none" && approximate !== "tanh")
    node.refuse(`approximate must be "none" or "tanh", not "${approximate}"`);
  return g.gelu(need(node, 0), { approximate: approximate as "none" | "tanh" });
};

const reductions = [
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
];

export const versionRewrites: Readonly<Record<string, Rewrite>> = {
  ...Object.fromEntries(reductions.map((op) => [op, reduction])),
  Constant: constant,
  Squeeze: axesAsInput,
  Unsqueeze: axesAsInput,
  Split: split,
  Softmax: softmax,
  LogSoftmax: softmax,
  Dropout: dropout,
  Cast: cast,
  CastLike: castLike,
  ConstantOfShape: constantOfShape,
  ConvTranspose: convTranspose,
  PRelu: pRelu,
  Shrink: shrink,
  LpNormalization: lpNormalization,
  Gelu: gelu,
};
