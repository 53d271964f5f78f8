/** Pad and Tile: more elements around, or copies side by side. Both linear. */
import type { Builder } from "../builder/builder.js";
import { addDims, multiplyDims, type Dim } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { knownIntegers } from "./layout.js";
import { defineOp, fail, normalizeAxis, string, type OpRule } from "./rule.js";

type Named = Parameters<typeof fail>[0];

interface PadNode extends Named {
  readonly inputs: readonly [Value, Value, Value | null, Value | null];
}

/** Elements added (or, negative, cut off) before and after each axis. */
function padsOf(node: PadNode): { before: number[]; after: number[] } {
  const [x, padsInput, , axesInput] = node.inputs;
  const rank = x.shape.length;
  const pads = knownIntegers(node, padsInput, "pads")!;
  const axes = (knownIntegers(node, axesInput, "axes") ?? x.shape.map((_, axis) => axis)).map((axis) =>
    normalizeAxis(node, axis, rank),
  );
  if (pads.length !== 2 * axes.length) fail(node, `expected ${2 * axes.length} pads, not ${pads.length}`);
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  axes.forEach((axis, i) => {
    before[axis] = pads[i]!;
    after[axis] = pads[axes.length + i]!;
  });
  return { before, after };
}

/**
 * Y = X with its surroundings: a constant, or its own elements mirrored ("reflect"), repeated from the border ("edge") or
 * from the other side ("wrap"). The cotangent of a constant surrounding is cut off; that of a copied element goes to the
 * element it copies.
 */
const pad = defineOp({
  op: "Pad",
  inputs: ["data", "pads", "constant_value?", "axes?"],
  attributes: { mode: string("constant") },
  infer: (node) => {
    const [x] = node.inputs;
    const { before, after } = padsOf(node);
    const shape = x.shape.map((dim, axis) => addDims(dim, before[axis]! + after[axis]!));
    if (shape.some((dim) => typeof dim === "number" && dim < 0)) fail(node, "expected pads that leave something");
    return { type: x.type, shape };
  },
  simplify: (g, node) => {
    const [x] = node.inputs;
    const { before, after } = padsOf(node);
    if ([...before, ...after].every((count) => count === 0)) return x;
    return node.attributes.mode === "constant" ? null : copyAround(g, node, x, before, after);
  },
  jvp: (g, node, [dx, , dvalue]) => {
    const [x, pads, , axes] = node.inputs;
    const inner = g.node("Pad", [dx ?? g.zerosLike(x), pads, null, axes], node.attributes);
    if (!dvalue) return inner;
    return g.add(inner, g.mul(surroundings(g, node), dvalue));
  },
  vjp: (g, node, dy, [wantX, , wantValue]) => {
    const { before, after } = padsOf(node);
    const negated = (counts: readonly number[]): number[] => counts.map((count) => -count);
    const value = node.inputs[2];
    return [
      wantX ? around(g, dy, negated(before), negated(after)) : null,
      null,
      wantValue ? g.reshape(g.reduceSum(g.mul(surroundings(g, node), dy)), value!.shape) : null,
      null,
    ];
  },
});

/** x with zeros around it. */
export function around(g: Builder, x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((count) => count === 0)) return x;
  return g.node("Pad", [x, g.integers([...before, ...after])]);
}

/** 1 where Pad put its constant, 0 elsewhere. */
function surroundings(g: Builder, node: PadNode): Value {
  const [x] = node.inputs;
  const { before, after } = padsOf(node);
  const [more, less] = [before, after].map((counts) => counts.map((count) => Math.max(0, count)));
  const cut = (counts: readonly number[]): number[] => counts.map((count) => Math.min(0, count));
  const inside = around(g, around(g, g.full(x.shape, 1, x), cut(before), cut(after)), more!, less!);
  return g.sub(1, inside);
}

/** Each padded axis as a choice among x's own elements, so that the derivative is that of Gather. */
function copyAround(
  g: Builder,
  node: PadNode & { readonly attributes: { readonly mode: string } },
  x: Value,
  before: readonly number[],
  after: readonly number[],
): Value {
  const { mode } = node.attributes;
  return x.shape.reduce<Value>((value, dim, axis) => {
    const [lead, trail] = [before[axis]!, after[axis]!];
    if (lead === 0 && trail === 0) return value;
    if (typeof dim !== "number") return fail(node, `expected a known size along axis ${axis} for mode "${mode}"`);
    const from = Array.from({ length: dim + lead + trail }, (_, i) => copied(node, mode, i - lead, dim));
    return g.gather(value, g.integers(from), axis);
  }, x);
}

/** Which of `size` elements stands at a place outside. */
function copied(node: Named, mode: string, place: number, size: number): number {
  switch (mode) {
    case "edge":
      return Math.min(Math.max(place, 0), size - 1);
    case "wrap":
      return ((place % size) + size) % size;
    case "reflect": {
      const period = 2 * (size - 1);
      if (period === 0) return 0;
      const at = ((place % period) + period) % period;
      return at < size ? at : period - at;
    }
    default:
      return fail(node, `expected mode "constant", "reflect", "edge" or "wrap", not "${mode}"`);
  }
}

/** Y = copies of X side by side along each axis; the cotangents of the copies add up. */
const tile = defineOp({
  op: "Tile",
  inputs: ["input", "repeats"],
  infer: (node) => {
    const [x] = node.inputs;
    return { type: x.type, shape: x.shape.map((dim, axis): Dim => multiplyDims(dim, repeatsOf(node)[axis]!)) };
  },
  // Copies are an axis of their own, repeated: Expand has the derivative.
  simplify: (g, node) => {
    const [x] = node.inputs;
    const repeats = repeatsOf(node);
    if (repeats.every((count) => count === 1)) return x;
    const apart = g.reshape(
      x,
      x.shape.flatMap((dim) => [1, dim]),
    );
    const repeated = g.expandTo(
      apart,
      x.shape.flatMap((dim, axis) => [repeats[axis]!, dim]),
    );
    return g.reshape(
      repeated,
      x.shape.map((dim, axis) => multiplyDims(dim, repeats[axis]!)),
    );
  },
});

function repeatsOf(node: Named & { readonly inputs: readonly [Value, Value] }): readonly number[] {
  const repeats = knownIntegers(node, node.inputs[1], "repeats")!;
  if (repeats.length !== node.inputs[0].shape.length) fail(node, `expected ${node.inputs[0].shape.length} repeats`);
  return repeats;
}

export const paddingRules: readonly OpRule[] = [pad, tile];
