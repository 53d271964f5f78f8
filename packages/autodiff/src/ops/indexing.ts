/** Gather, Slice, Concat, Split: choosing and joining parts along an axis. All linear in the data. */
import { addDims, isStatic, show, subtractDims, type Dim } from "../ir/dims.js";
import { constantOf, type Value } from "../ir/graph.js";
import { numbersOf } from "../ir/tensor.js";
import { knownDims, knownIntegers } from "./layout.js";
import { defineOp, fail, int, normalizeAxis, type OpRule } from "./rule.js";
import { ungather, unslice } from "./slice-adjoint.js";

/** Y = X at the given indices of one axis; that axis is replaced by the axes of the indices. */
const gather = defineOp({
  op: "Gather",
  inputs: ["data", "indices"],
  attributes: { axis: int(0) },
  infer: (node) => {
    const [x, indices] = node.inputs;
    const axis = normalizeAxis(node, node.attributes.axis, x.shape.length);
    if (indices.type !== "int64" && indices.type !== "int32") fail(node, "expected integer indices");
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const at = constantOf(indices);
    const content =
      x.content && at
        ? numbersOf(at).map((i) => x.content!.at(i) ?? fail(node, `expected indices within ${show(x.shape)}`))
        : undefined;
    return { type: x.type, shape, ...(content && shape.length <= 1 ? { content } : {}) };
  },
  jvp: (g, { inputs: [, indices], attributes: { axis } }, [dx]) => g.gather(dx!, indices, axis),
  vjp: (g, { inputs: [x, indices], attributes: { axis } }, dy) => [
    ungather(g, dy, indices, axis < 0 ? axis + x.shape.length : axis, x.shape),
    null,
  ],
});

/** Y = the inputs one after the other along an axis. */
const concat = defineOp({
  op: "Concat",
  inputs: ["inputs..."],
  attributes: { axis: int(0) },
  infer: (node) => {
    const [first] = node.inputs;
    const axis = normalizeAxis(node, node.attributes.axis, first!.shape.length);
    for (const { type, shape } of node.inputs) {
      const fits =
        shape.length === first!.shape.length && shape.every((dim, i) => i === axis || dim === first!.shape[i]);
      if (!fits || type !== first!.type) fail(node, `expected inputs of one type, equal in every axis but ${axis}`);
    }
    const length = node.inputs.reduce<Dim>((sum, { shape }) => addDims(sum, shape[axis]!), 0);
    const content = node.inputs.every((value) => value.content)
      ? node.inputs.flatMap((value) => value.content!)
      : undefined;
    return { type: first!.type, shape: first!.shape.with(axis, length), ...(content && { content }) };
  },
  simplify: (_, { inputs }) => (inputs.length === 1 ? inputs[0]! : null),
  jvp: (g, { inputs, attributes: { axis } }, tangents) =>
    g.concat(
      inputs.map((x, i) => tangents[i] ?? g.zerosLike(x)),
      axis,
    ),
  vjp: (g, { inputs, attributes: { axis } }, dy, wanted) => {
    const at = axis < 0 ? axis + dy.shape.length : axis;
    const parts = g.splitSizes(
      dy,
      inputs.map(({ shape }) => shape[at]!),
      at,
    );
    return parts.map((part, i) => (wanted[i] ? part : null));
  },
});

/** The parts of X along an axis, of the given sizes; in equal parts without sizes. */
const split = defineOp({
  op: "Split",
  inputs: ["input", "split?"],
  attributes: { axis: int(0), num_outputs: int() },
  infer: (node) => {
    const [x, sizes] = node.inputs;
    const axis = normalizeAxis(node, node.attributes.axis, x.shape.length);
    return splitSizes(node, x, sizes, axis, node.attributes.num_outputs).map((size) => ({
      type: x.type,
      shape: x.shape.with(axis, size),
    }));
  },
  jvp: (g, { inputs: [, sizes], attributes }, [dx]) => g.nodeOutputs("Split", [dx!, sizes], attributes),
  vjp: (g, { inputs: [x], outputs, attributes: { axis } }, _dy, _wanted, cotangents) => {
    const parts = outputs.map((part, i) => cotangents[i] ?? g.zerosLike(part));
    return [g.concat(parts, axis < 0 ? axis + x.shape.length : axis), null];
  },
});

function splitSizes(
  node: Parameters<typeof fail>[0],
  x: Value,
  sizes: Value | null,
  axis: number,
  parts: number | undefined,
): readonly Dim[] {
  if (sizes !== null) return knownDims(sizes);
  const whole = x.shape[axis]!;
  if (parts === undefined || typeof whole !== "number")
    return fail(node, "expected split sizes, or num_outputs and a known axis");
  const each = Math.ceil(whole / parts);
  return Array.from({ length: parts }, (_, i) => Math.min(each, whole - i * each));
}

/** Y = X[start:end:step] along each of the axes. The cotangent is padded with zeros. */
const slice = defineOp({
  op: "Slice",
  inputs: ["data", "starts", "ends", "axes?", "steps?"],
  infer: (node) => {
    const [x, startsInput, endsInput] = node.inputs;
    const starts = knownDims(startsInput);
    const ends = knownDims(endsInput);
    const axes = axesOf(node);
    const steps = knownIntegers(node, node.inputs[4], "steps") ?? axes.map(() => 1);
    const shape: Dim[] = [...x.shape];
    axes.forEach((axis, i) => {
      shape[axis] = slicedLength(x.shape[axis]!, starts[i]!, ends[i]!, steps[i]!, `slice${endsInput.id}.${i}`);
    });
    const known = x.content && isStatic(starts) && isStatic(ends) && steps[0] === 1 && axes.length === 1;
    return { type: x.type, shape, ...(known ? { content: x.content.slice(starts[0], ends[0]) } : {}) };
  },
  jvp: (g, { inputs: [, ...rest] }, [dx]) => g.node("Slice", [dx!, ...rest]),
  vjp: (g, node, dy) => {
    const [x, starts] = node.inputs;
    const axes = axesOf(node);
    const first = knownDims(starts);
    const steps = knownIntegers(node, node.inputs[4], "steps") ?? axes.map(() => 1);
    const slices = axes.map((axis, i) => ({ axis, start: first[i]!, step: steps[i]! }));
    return [unslice(g, node, dy, x.shape, slices), null, null, null, null];
  },
});

function axesOf(node: {
  op: string;
  name: string;
  inputs: readonly [Value, Value, Value, Value | null, Value | null];
}): number[] {
  const [x, starts, , axes] = node.inputs;
  const given = knownIntegers(node, axes, "axes") ?? knownDims(starts).map((_, i) => i);
  return given.map((axis) => normalizeAxis(node, axis, x.shape.length));
}

function slicedLength(length: Dim, start: Dim, end: Dim, step: number, unknown: string): Dim {
  if (typeof length === "number" && typeof start === "number" && typeof end === "number") {
    const clamp = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + length : at, low), high);
    return step > 0
      ? Math.max(0, Math.ceil((clamp(end, 0, length) - clamp(start, 0, length)) / step))
      : Math.max(0, Math.ceil((clamp(start, 0, length - 1) - clamp(end, -1, length - 1)) / -step));
  }
  // A size that stays symbolic can be cut at its ends only where the cut is known to fit.
  if (step !== 1) return unknown;
  const toEnd = end === length || (typeof end === "number" && end >= 2 ** 31 - 1);
  if (start === 0 && toEnd) return length;
  if (typeof start === "number" && start < 0 && toEnd) return -start;
  if (toEnd) return subtractDims(length, start);
  if (typeof end === "number" && end < 0 && typeof start === "number" && start >= 0)
    return subtractDims(addDims(length, end), start);
  if (typeof start !== "number" || start >= 0)
    return typeof end === "number" && end < 0 ? unknown : subtractDims(end, start);
  return unknown;
}

export const indexingRules: readonly OpRule[] = [gather, concat, split, slice];
