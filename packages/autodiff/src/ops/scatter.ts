/**
 * GatherElements, ScatterElements, GatherND, ScatterND: choosing single elements or slices by index, and its adjoint,
 * adding at indices. Linear in the data and the updates.
 */
import type { Builder } from "../builder/builder.js";
import { sameShape, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { defineOp, fail, int, normalizeAxis, string, type OpRule } from "./rule.js";

type Named = Parameters<typeof fail>[0];

function requireIntegers(node: Named, indices: Value): void {
  if (indices.type !== "int64" && indices.type !== "int32") fail(node, "expected integer indices");
}

/** zeros of `shape`, with `updates` added at `indices` along an axis: the adjoint of GatherElements. */
export const addAt = (g: Builder, shape: Shape, indices: Value, updates: Value, axis: number): Value =>
  g.node("ScatterElements", [g.full(shape, 0, updates), indices, updates], { axis, reduction: "add" });

/** Y[i, j] = X[indices[i, j], j] for axis 0. */
const gatherElements = defineOp({
  op: "GatherElements",
  inputs: ["data", "indices"],
  attributes: { axis: int(0) },
  infer: (node) => {
    const [x, indices] = node.inputs;
    requireIntegers(node, indices);
    normalizeAxis(node, node.attributes.axis, x.shape.length);
    if (indices.shape.length !== x.shape.length) fail(node, "expected indices of the rank of the data");
    return { type: x.type, shape: indices.shape };
  },
  jvp: (g, { inputs: [, indices], attributes }, [dx]) => g.node("GatherElements", [dx!, indices], attributes),
  vjp: (g, { inputs: [x, indices], attributes: { axis } }, dy) => [addAt(g, x.shape, indices, dy, axis), null],
});

/**
 * Y = X, with updates put ("none") or added ("add") at indices along an axis. Put at one place twice, it is not said which
 * one stays, so a derivative by the updates supposes that no place is named twice.
 */
const scatterElements = defineOp({
  op: "ScatterElements",
  inputs: ["data", "indices", "updates"],
  attributes: { axis: int(0), reduction: string("none") },
  infer: (node) => {
    const [x, indices, updates] = node.inputs;
    const { axis, reduction } = node.attributes;
    requireIntegers(node, indices);
    normalizeAxis(node, axis, x.shape.length);
    requireReduction(node, reduction);
    if (
      x.type !== updates.type ||
      !sameShape(indices.shape, updates.shape) ||
      x.shape.length !== indices.shape.length
    ) {
      fail(node, "expected updates of the indices' shape and the data's type and rank");
    }
    return { type: x.type, shape: x.shape };
  },
  jvp: (g, { inputs: [x, indices, updates], attributes }, [dx, , dupdates]) =>
    g.node("ScatterElements", [dx ?? g.zerosLike(x), indices, dupdates ?? g.zerosLike(updates)], attributes),
  vjp: (g, { inputs: [, indices, updates], attributes }, dy, [wantX, , wantUpdates]) => [
    wantX
      ? attributes.reduction === "add"
        ? dy
        : g.node("ScatterElements", [dy, indices, g.zerosLike(updates)], attributes)
      : null,
    null,
    wantUpdates ? g.node("GatherElements", [dy, indices], { axis: attributes.axis }) : null,
  ],
});

function requireReduction(node: Named, reduction: string): void {
  if (reduction !== "none" && reduction !== "add") fail(node, `expected reduction "none" or "add", not "${reduction}"`);
}

/** Y[i, …] = X[indices[i, :], …]: the last axis of the indices is a position in X's leading axes (after the batch axes). */
const gatherNd = defineOp({
  op: "GatherND",
  inputs: ["data", "indices"],
  attributes: { batch_dims: int(0) },
  infer: (node) => {
    const [x, indices] = node.inputs;
    const batch = node.attributes.batch_dims;
    requireIntegers(node, indices);
    const depth = indices.shape.at(-1);
    if (typeof depth !== "number" || batch + depth > x.shape.length || batch >= indices.shape.length) {
      fail(node, "expected indices whose last axis is at most the data's rank");
    }
    return { type: x.type, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)] };
  },
  jvp: (g, { inputs: [, indices], attributes }, [dx]) => g.node("GatherND", [dx!, indices], attributes),
  vjp: (g, node, dy) => {
    const [x, indices] = node.inputs;
    if (node.attributes.batch_dims !== 0) fail(node, "expected batch_dims 0 for a derivative");
    return [g.node("ScatterND", [g.zerosLike(x), indices, dy], { reduction: "add" }), null];
  },
});

/** Y = X, with slices put ("none") or added ("add") at positions in its leading axes. */
const scatterNd = defineOp({
  op: "ScatterND",
  inputs: ["data", "indices", "updates"],
  attributes: { reduction: string("none") },
  infer: (node) => {
    const [x, indices, updates] = node.inputs;
    requireIntegers(node, indices);
    requireReduction(node, node.attributes.reduction);
    const depth = indices.shape.at(-1);
    if (typeof depth !== "number" || depth > x.shape.length || x.type !== updates.type)
      fail(node, "expected positions of at most the data's rank");
    if (!sameShape(updates.shape, [...indices.shape.slice(0, -1), ...x.shape.slice(depth)])) {
      fail(node, "expected an update for each position, of the shape of the slice it goes to");
    }
    return { type: x.type, shape: x.shape };
  },
  jvp: (g, { inputs: [x, indices, updates], attributes }, [dx, , dupdates]) =>
    g.node("ScatterND", [dx ?? g.zerosLike(x), indices, dupdates ?? g.zerosLike(updates)], attributes),
  vjp: (g, { inputs: [, indices, updates], attributes }, dy, [wantX, , wantUpdates]) => [
    wantX
      ? attributes.reduction === "add"
        ? dy
        : g.node("ScatterND", [dy, indices, g.zerosLike(updates)], attributes)
      : null,
    null,
    wantUpdates ? g.node("GatherND", [dy, indices]) : null,
  ],
});

export const scatterRules: readonly OpRule[] = [gatherElements, scatterElements, gatherNd, scatterNd];
