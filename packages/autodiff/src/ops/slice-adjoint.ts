/** The adjoints of choosing along an axis: what was chosen goes back to its place, zeros to the rest. */
import type { Builder } from "../builder/builder.js";
import { addDims, sizeOf, subtractDims, type Dim, type Shape } from "../ir/dims.js";
import { constantOf, type Value } from "../ir/graph.js";
import { scalarOf } from "../ir/tensor.js";
import { around } from "./padding.js";
import { fail } from "./rule.js";
import { addAt } from "./scatter.js";
import { flip, spread } from "./windows.js";

/** Where a slice along one axis starts, and its step. */
export interface AxisSlice {
  readonly axis: number;
  readonly start: Dim;
  readonly step: number;
}

/** Adjoint of a Slice of a value of shape `shape`: zeros between for steps, zeros around for starts and ends. */
export function unslice(
  g: Builder,
  node: Parameters<typeof fail>[0],
  dy: Value,
  shape: Shape,
  slices: readonly AxisSlice[],
): Value {
  return slices.reduce((value, { axis, start, step }) => {
    const full = shape[axis]!;
    const length = value.shape[axis]!;
    if (length === 0) return g.full(value.shape.with(axis, full), 0, value);
    const ascending = step < 0 ? flip(g, value, [axis]) : value;
    const apart = spread(g, ascending, [axis], [Math.abs(step)]);
    const reach = apart.shape[axis]!;
    const first = firstPlace(node, full, start, step, reach);
    return withZeros(g, apart, axis, first, subtractDims(subtractDims(full, first), reach));
  }, dy);
}

/** The place of the slice's element of lowest index. `reach` is how many places it spans. */
function firstPlace(node: Parameters<typeof fail>[0], full: Dim, start: Dim, step: number, reach: Dim): Dim {
  if (reach === full) return 0;
  if (typeof full === "number" && typeof start === "number") {
    const at = start < 0 ? start + full : start;
    if (step > 0) return Math.min(Math.max(at, 0), full);
    return Math.min(Math.max(at, 0), full - 1) - (Number(reach) - 1);
  }
  if (step < 0) return fail(node, "expected a known size for the derivative of a slice backwards");
  return typeof start === "number" && start < 0 ? addDims(full, start) : start;
}

/** Zeros before and after along an axis; as many as a symbolic size says, where one does. */
function withZeros(g: Builder, x: Value, axis: number, before: Dim, after: Dim): Value {
  if (typeof before === "number" && typeof after === "number") {
    const only = (count: number): number[] => x.shape.map((_, i) => (i === axis ? count : 0));
    return around(g, x, only(before), only(after));
  }
  const parts = [before, after].map((count) => (count === 0 ? null : g.full(x.shape.with(axis, count), 0, x)));
  return g.concat(
    [parts[0]!, x, parts[1]!].filter((part) => part !== null),
    axis,
  );
}

/**
 * Adjoint of a Gather of a value of shape `shape`: each slice added at its index. ScatterElements, which needs an index for
 * every element, adds one after the other; ONNX Runtime's ScatterND adds in parallel, where equal indices would race.
 */
export function ungather(g: Builder, dy: Value, indices: Value, axis: number, shape: Shape): Value {
  const length = shape[axis]!;
  const held = constantOf(indices);
  if (held?.data.length === 1 && typeof length === "number") {
    const index = scalarOf(held);
    const at = index < 0 ? index + length : index;
    return withZeros(g, g.reshape(dy, shape.with(axis, 1)), axis, at, length - 1 - at);
  }
  const chosen = indices.shape.map((_, i) => i + axis);
  const before = shape.slice(0, axis).map((_, i) => i);
  const after = shape.slice(axis + 1).map((_, i) => i + axis + indices.shape.length);
  const front = g.transpose(dy, [...chosen, ...before, ...after]);
  const rest = [...shape.slice(0, axis), ...shape.slice(axis + 1)];
  const [count, width] = [sizeOf(indices.shape), sizeOf(rest)];
  const everywhere = g.expandTo(g.reshape(indices, [count, 1]), [count, width]);
  const sum = addAt(g, [length, width], everywhere, g.reshape(front, [count, width]), 0);
  const back = shape.map((_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
  return g.transpose(g.reshape(sum, [length, ...rest]), back);
}
