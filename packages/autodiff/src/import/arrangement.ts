/** Operators that arrange, mask or enumerate, composed of those with rules. */
import type { Builder } from "../builder/builder.js";
import { isStatic, type Dim } from "../ir/dims.js";
import { constantOf, type Value } from "../ir/graph.js";
import { scalarOf, tensor } from "../ir/tensor.js";
import { onnxTypes } from "../onnx/types.js";
import {
  intAttribute,
  knownNumbers,
  need,
  optional,
  stringAttribute,
  type Rewrite,
  type SourceNode,
} from "./source.js";

/** Longest list of indices that is a constant of the graph; longer ones are made when it runs. */
const MOST_INDICES = 65536;
/** Largest triangle that is one. */
const LARGEST_TRIANGLE = 2 ** 20;

/** The int64 vector 0, 1, …, n − 1. */
export function indicesUpTo(g: Builder, n: Dim): Value {
  if (typeof n === "number" && n <= MOST_INDICES) return g.integers(Array.from({ length: n }, (_, i) => i));
  const scalar = (value: number): Value => g.constant(value, { type: "int64" });
  return g.node("Range", [scalar(0), g.squeeze(g.dimension(n), [0]), scalar(1)]);
}

/** A bool matrix that holds where column − row ≥ offset (≤ with `lower`). */
export function triangle(g: Builder, rows: Dim, columns: Dim, offset: number, lower: boolean): Value {
  const [height, width] = [Number(rows), Number(columns)];
  if (isStatic([rows, columns]) && height * width <= LARGEST_TRIANGLE) {
    const kept = Uint8Array.from({ length: height * width }, (_, at) => {
      const distance = (at % width) - Math.floor(at / width);
      return Number(lower ? distance <= offset : distance >= offset);
    });
    return g.constant(tensor(kept, [height, width], "bool"));
  }
  const distance = g.sub(g.unsqueeze(indicesUpTo(g, columns), [0]), g.unsqueeze(indicesUpTo(g, rows), [1]));
  return lower ? g.lessOrEqual(distance, offset) : g.greaterOrEqual(distance, offset);
}

/** The upper or lower triangle of each matrix, zeros elsewhere. */
const trilu: Rewrite = (g, node) => {
  const x = need(node, 0);
  if (x.shape.length < 2) node.refuse("expected a matrix, or a stack of them");
  const offsetInput = optional(node, 1);
  const offset = offsetInput === null ? 0 : (knownNumbers(node, offsetInput, "k")[0] ?? 0);
  const kept = triangle(g, x.shape.at(-2)!, x.shape.at(-1)!, offset, intAttribute(node, "upper", 1) === 0);
  return x.type === "bool" ? g.node("And", [x, kept]) : g.where(kept, x, 0);
};

const eyeLike: Rewrite = (g, node) => {
  const x = need(node, 0);
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || rows === undefined || columns === undefined) node.refuse("expected a matrix");
  const offset = intAttribute(node, "k", 0);
  const upper = triangle(g, rows!, columns!, offset, false);
  const lower = triangle(g, rows!, columns!, offset, true);
  const to = intAttribute(node, "dtype", onnxTypes.numberOf(x.type));
  return g.node("Cast", [g.node("And", [upper, lower])], { to });
};

/** Rows that hold `on` at one place and `off` elsewhere. */
const oneHot: Rewrite = (g, node) => {
  const [indices, depthInput, values] = [need(node, 0), need(node, 1), need(node, 2)];
  const depth = knownNumbers(node, depthInput, "depth")[0] ?? node.refuse("depth is missing");
  const rank = indices.shape.length + 1;
  const axis = intAttribute(node, "axis", -1);
  const at = axis < 0 ? axis + rank : axis;
  const labels = g.cast(indices, "int64");
  const wrapped = g.where(g.less(labels, 0), g.add(labels, depth), labels);
  const all = g.reshape(indicesUpTo(g, depth), [depth, ...new Array<number>(rank - 1 - at).fill(1)]);
  const [off, on] = [0, 1].map((i) => g.squeeze(g.slice(values, 0, i, i + 1), [0]));
  return g.where(g.equal(g.unsqueeze(wrapped, [at]), all), on!, off!);
};

/** Blocks of channels to blocks of positions. */
const depthToSpace: Rewrite = (g, node) => {
  const x = need(node, 0);
  const block = intAttribute(node, "blocksize", 1);
  const [examples, channels, height, width] = spatial(node, x);
  if (channels % (block * block) !== 0)
    node.refuse(`expected channels that divide by ${block * block}, got ${channels}`);
  const rest = channels / (block * block);
  const columnRowDepth = stringAttribute(node, "mode", "DCR") === "CRD";
  const apart = columnRowDepth
    ? [examples, rest, block, block, height, width]
    : [examples, block, block, rest, height, width];
  const perm = columnRowDepth ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return g.reshape(g.transpose(g.reshape(x, apart), perm), [examples, rest, height * block, width * block]);
};

const spaceToDepth: Rewrite = (g, node) => {
  const x = need(node, 0);
  const block = intAttribute(node, "blocksize", 1);
  const [examples, channels, height, width] = spatial(node, x);
  if (height % block !== 0 || width % block !== 0)
    node.refuse(`expected sizes that divide by ${block}, got ${height} by ${width}`);
  const apart = [examples, channels, height / block, block, width / block, block];
  return g.reshape(g.transpose(g.reshape(x, apart), [0, 3, 5, 1, 2, 4]), [
    examples,
    channels * block * block,
    height / block,
    width / block,
  ]);
};

function spatial(node: SourceNode, x: Value): readonly [Dim, number, number, number] {
  const [examples, ...rest] = x.shape;
  if (x.shape.length !== 4 || !isStatic(rest))
    return node.refuse("expected an input (n, C, H, W) with known C, H and W; pass { shapes }");
  return [examples!, ...(rest as [number, number, number])];
}

/** Nearest-neighbour enlargement by whole factors: every element repeated. Other modes are refused. */
const resize: Rewrite = (g, node) => {
  const x = need(node, 0);
  const mode = stringAttribute(node, "mode", "nearest");
  const coordinates = stringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  const rounding = stringAttribute(node, "nearest_mode", "round_prefer_floor");
  const factors = enlargement(node, x);
  // Repeating is what these combinations amount to for whole factors.
  const repeats =
    (coordinates === "asymmetric" && rounding === "floor") ||
    (coordinates === "half_pixel" && rounding.startsWith("round")) ||
    coordinates === "pytorch_half_pixel";
  if (mode !== "nearest" || !repeats || factors === null) {
    node.refuse(
      `expected nearest-neighbour enlargement by whole factors, got mode "${mode}" (${coordinates}, ${rounding})`,
    );
  }
  return factors!.reduce<Value>((value, factor, axis) => {
    if (factor === 1) return value;
    const repeated = g.expandTo(g.unsqueeze(value, [axis + 1]), [
      ...value.shape.slice(0, axis + 1),
      factor,
      ...value.shape.slice(axis + 1),
    ]);
    return g.reshape(repeated, value.shape.with(axis, (value.shape[axis] as number) * factor));
  }, x);
};

/** The factor along each axis, or null where one is not whole. */
function enlargement(node: SourceNode, x: Value): number[] | null {
  const axes = (node.attributes.axes as readonly number[] | undefined) ?? x.shape.map((_, axis) => axis);
  const sizes = optional(node, 3);
  const scales = optional(node, 2);
  const factors = x.shape.map(() => 1);
  const target = sizes ? (sizes.content ?? knownNumbers(node, sizes, "sizes")) : null;
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis]!;
    const wanted = target?.[i];
    const factor =
      target === null
        ? scales
          ? knownNumbers(node, scales, "scales")[i]!
          : NaN
        : wanted === size
          ? 1
          : Number(wanted) / Number(size);
    if (!Number.isInteger(factor) || factor < 1 || (factor !== 1 && typeof size !== "number")) return null;
    factors[axis] = factor;
  }
  return factors;
}

/** Cumulative sums as a product with a triangle of ones. */
const cumSum: Rewrite = (g, node) => {
  const x = need(node, 0);
  const held = constantOf(need(node, 1)) ?? node.refuse("axis must be known when the model is read");
  const rank = x.shape.length;
  const axis = (scalarOf(held) + rank) % rank;
  const [exclusive, reverse] = [intAttribute(node, "exclusive", 0), intAttribute(node, "reverse", 0)];
  const length = x.shape[axis]!;
  // Row i of the triangle says what sum i takes: columns up to i, or from i on.
  const offset = exclusive ? (reverse ? 1 : -1) : 0;
  const kept = g.cast(triangle(g, length, length, offset, reverse === 0), x.type);
  const order = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const last = g.transpose(x, [...order, axis]);
  const summed = g.matMul(last, g.transpose(kept, [1, 0]));
  const back = [...order, axis];
  return g.transpose(
    summed,
    back.map((_, i) => back.indexOf(i)),
  );
};

export const arrangementRewrites: Readonly<Record<string, Rewrite>> = {
  Trilu: trilu,
  EyeLike: eyeLike,
  OneHot: oneHot,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Resize: resize,
  CumSum: cumSum,
};
