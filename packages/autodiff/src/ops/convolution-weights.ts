/**
 * The adjoint of a convolution in its weights, D(X, Ȳ)[k, c, tap] = Σ Ȳ[n, k, position]·X[n, c, position·s + tap·d − p], in
 * the formulation that is fastest for its shape. docs/autodiff/formulations.md has the measurements behind the choice.
 */
import type { Builder } from "../builder/builder.js";
import { sizeOf, type Dim } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { byGroup, channelsLast, channelsSecond, windowRows } from "./window-rows.js";
import { padAxes, seenBy, taps, type Windows } from "./windows.js";
import { winogradPays, winogradWeights } from "./winograd.js";

/** What the choice depends on. */
export interface WeightShape {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly group: number;
  /** Channels of X, and of Ȳ. */
  readonly inputs: number;
  readonly outputs: number;
  /** Positions of the window in one example. */
  readonly positions: number;
}

export type WeightFormulation = "rows" | "shifts" | "taps" | "tiles" | "columns";

/** Fewer positions than this, and copies of the cotangents cost more than those of the windows. */
const FEW_POSITIONS = 128;

/** So many input channels, and copies of X for every tap are dearer than transposing Ȳ. */
const FEW_CHANNELS = 8;

/**
 * "taps": for each tap a product summed over positions; depthwise convolutions, where there is nothing to multiply as
 * matrices. "shifts": X shifted along the last axis times Ȳ shifted along the others, one product for all taps with six
 * copies instead of nine for 3×3; needs stride 1. "tiles": Winograd's products, for 3×3 taps side by side and many channels.
 * "columns": each example's windows as columns, times its cotangents; the few channels of a first layer, where Ȳ is so much larger
 * than X that nothing pays which copies it. "rows": windows as rows times Ȳ; any shape.
 */
export function weightFormulation(shape: WeightShape): WeightFormulation {
  const { kernel, strides, group, inputs, outputs, positions } = shape;
  if (group > 1 && inputs === group && outputs === group) return "taps";
  if (winogradPays(shape, group, inputs, outputs)) return "tiles";
  if (group === 1 && sizeOf(kernel) !== 1 && inputs <= FEW_CHANNELS && positions >= FEW_POSITIONS) return "columns";
  // A single tap has nothing to step over once the elements between are cut out.
  const dense = kernel.every((size, i) => size === 1 || strides[i] === 1);
  return dense && (group > 1 || sizeOf(kernel) === 1 || positions >= FEW_POSITIONS) ? "shifts" : "rows";
}

/** W̄ = D(X, Ȳ), [K, C/group, kernel …]. `counts` are the sizes of Ȳ's spatial axes. */
export function weightCotangent(
  g: Builder,
  x: Value,
  dy: Value,
  windows: Windows,
  counts: readonly number[],
  group: number,
  formulation?: WeightFormulation,
): Value {
  const [inputs, outputs] = [x.shape[1] as number, dy.shape[1] as number];
  const positions = Number(sizeOf(counts));
  const spatialKnown = x.shape.slice(2).every((size) => typeof size === "number");
  const chosen = formulation ?? weightFormulation({ ...windows, group, inputs, outputs, positions });
  if (chosen === "taps") return byTaps(g, x, dy, windows, counts);
  if (chosen === "columns") return byColumns(g, x, dy, windows, counts);
  if (chosen === "tiles" && spatialKnown) return winogradWeights(g, x, dy, windows, counts);
  if (chosen === "shifts" && spatialKnown) return byShifts(g, x, dy, windows, counts, group);
  return byRows(g, x, dy, windows, counts, group);
}

/** Windows as rows (positions of all examples, taps·channels), times the cotangents of all positions. */
function byRows(g: Builder, x: Value, dy: Value, windows: Windows, counts: readonly number[], group: number): Value {
  const [inputs, outputs] = [x.shape[1] as number, dy.shape[1] as number];
  const { kernel } = windows;
  const rows = windowRows(g, x, windows, counts);
  if (group === 1) {
    const product = g.matMul(stack(g, [channelsFirst(g, dy)], 1), rows);
    return channelsSecond(g, g.reshape(product, [outputs, ...kernel, inputs]));
  }
  const cotangents = g.reshape(channelsLast(g, dy), [rows.shape[0]!, group, outputs / group]);
  const left = g.transpose(cotangents, [1, 2, 0]);
  const product = g.matMul(left, byGroup(g, rows, Number(sizeOf(kernel)), group));
  return channelsSecond(g, g.reshape(product, [outputs, ...kernel, inputs / group]));
}

/**
 * For stride 1: with tap = (i, j), j its offset along the last axis, and position = q − i·d + p along the axes before,
 *
 *     W̄[k, c, i, j] = Σ_q Ȳ[k, q − i·d + p]·X[c, q + (0, j·d − p)],
 *
 * q over all of X along the axes before and over positions along the last. Zeros stand where an index falls outside.
 */
function byShifts(g: Builder, x: Value, dy: Value, windows: Windows, counts: readonly number[], group: number): Value {
  const [inputs, outputs] = [x.shape[1] as number, dy.shape[1] as number];
  const { kernel, strides, dilations, before } = windows;
  const last = kernel.length - 1;
  // Axes with one tap are treated as the last is: X is cut to what the tap sees of it, Ȳ stays.
  const moves = kernel.map((size, axis) => axis < last && size > 1);

  // With channels first once, every shift is a copy of long pieces, and the shifts of all channels lie together.
  const xFirst = channelsFirst(g, x);
  const seen = taps(kernel.map((size, axis) => (moves[axis] ? 1 : size))).map((tap) =>
    tap.reduce((value, offset, axis) => {
      const start = offset * dilations[axis]! - before[axis]!;
      return moves[axis] ? value : cut(g, value, axis + 2, start, counts[axis]!, strides[axis]!);
    }, xFirst),
  );
  const moved = taps(kernel.map((size, axis) => (moves[axis] ? size : 1))).map((tap) =>
    tap.reduce(
      (value, offset, axis) => {
        const start = before[axis]! - offset * dilations[axis]!;
        return moves[axis] ? cut(g, value, axis + 2, start, x.shape[axis + 2] as number, 1) : value;
      },
      channelsFirst(g, dy),
    ),
  );
  const left = stack(g, moved, group);
  const right = stack(g, seen, group);
  const product = group === 1 ? g.gemm(left, right, null, { transB: 1 }) : g.matMul(left, g.transposeLast(right));
  const apart = g.reshape(product, [group, moved.length, outputs / group, seen.length, inputs / group]);
  return g.reshape(g.transpose(apart, [0, 2, 4, 1, 3]), [outputs, inputs / group, ...kernel]);
}

/** For each example its windows as columns, times its cotangents as they lie; then the sum over examples. One group. */
function byColumns(g: Builder, x: Value, dy: Value, windows: Windows, counts: readonly number[]): Value {
  const axes = windows.kernel.map((_, i) => i + 2);
  const [examples, inputs] = x.shape as readonly [Dim, number];
  const outputs = dy.shape[1] as number;
  const positions = sizeOf(counts);
  const padded = padAxes(g, x, axes, windows.before, windows.after);
  const seen = taps(windows.kernel).map((tap) => seenBy(g, padded, axes, tap, windows, counts));
  const columns = g.reshape(g.concat(seen, 1), [examples, Number(sizeOf(windows.kernel)) * inputs, positions]);
  const products = g.matMul(g.reshape(dy, [examples, outputs, positions]), g.transposeLast(columns));
  return channelsSecond(g, g.reshape(g.reduceSum(products, [0]), [outputs, ...windows.kernel, inputs]));
}

/** The elements start, start + step … of an axis, `count` of them, zeros where there are none. */
function cut(g: Builder, x: Value, axis: number, start: number, count: number, step: number): Value {
  const size = x.shape[axis] as number;
  const span = (count - 1) * step + 1;
  if (start >= size || start + span <= 0) return g.full(x.shape.with(axis, count), 0, x);
  const window = padAxes(g, x, [axis], [-start], [start + span - size]);
  return step === 1 ? window : g.slice(window, axis, 0, span, step);
}

/** (n, C, …) as (C, n, …). */
const channelsFirst = (g: Builder, x: Value): Value =>
  g.transpose(x, [1, 0, ...x.shape.map((_, axis) => axis).slice(2)]);

/** Values (C, n, …) on top of each other: [values·C, n·positions], or within each group [group, values·C/group, n·positions]. */
function stack(g: Builder, values: readonly Value[], group: number): Value {
  const each = values.map((value) => {
    const [channels, ...rest] = value.shape as readonly [number, ...Dim[]];
    return g.reshape(value, group === 1 ? [channels, sizeOf(rest)] : [group, channels / group, sizeOf(rest)]);
  });
  return each.length === 1 ? each[0]! : g.concat(each, group === 1 ? 0 : 1);
}

/** Depthwise, K = C = group: for each tap what it sees, times the cotangents, summed over positions and examples. */
function byTaps(g: Builder, x: Value, dy: Value, windows: Windows, counts: readonly number[]): Value {
  const axes = windows.kernel.map((_, i) => i + 2);
  const channels = x.shape[1] as number;
  const padded = padAxes(g, x, axes, windows.before, windows.after);
  const sums = taps(windows.kernel).map((tap) => {
    const product = g.mul(dy, seenBy(g, padded, axes, tap, windows, counts));
    // In two stages: the first adds contiguous numbers, and sums of sums lose less.
    return g.reshape(g.reduceSum(g.reduceSum(product, axes), [0]), [channels, 1]);
  });
  return g.reshape(sums.length === 1 ? sums[0]! : g.concat(sums, 1), [channels, 1, ...windows.kernel]);
}
