/** Sliding windows over spatial axes: the geometry that convolutions and pools share, and their parts as plain ops. */
import type { Builder } from "../builder/builder.js";
import { addDims, divideDims, multiplyDims, type Dim, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { fail, ints, string, type AttributesOf } from "./rule.js";

type Named = Parameters<typeof fail>[0];

/** One entry per spatial axis in each field. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each axis, and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Attributes that every windowed op has. */
export const windowAttributes = {
  auto_pad: string("NOTSET"),
  kernel_shape: ints(),
  strides: ints(),
  dilations: ints(),
  pads: ints(),
};

/**
 * The windows a node asks for.
 *
 * @param spatial  The spatial axes' sizes of what the windows slide over; needed for `auto_pad` only.
 * @throws ShapeError where lengths disagree, or `auto_pad` needs a size that is not known.
 */
export function windowsOf(
  node: Named,
  attributes: AttributesOf<typeof windowAttributes>,
  kernel: readonly number[],
  spatial: Shape,
): Windows {
  const rank = kernel.length;
  const each = (values: readonly number[] | undefined, what: string): readonly number[] => {
    if (values === undefined || values.length === 0) return new Array<number>(rank).fill(1);
    if (values.length !== rank || values.some((value) => !(value >= 1)))
      fail(node, `expected ${rank} positive ${what}`);
    return values;
  };
  const strides = each(attributes.strides, "strides");
  const dilations = each(attributes.dilations, "dilations");
  const mode = attributes.auto_pad;
  if (mode === "NOTSET" || mode === "VALID") {
    const pads = mode === "VALID" || !attributes.pads?.length ? new Array<number>(2 * rank).fill(0) : attributes.pads;
    if (pads.length !== 2 * rank) fail(node, `expected ${2 * rank} pads`);
    return { kernel, strides, dilations, before: pads.slice(0, rank), after: pads.slice(rank) };
  }
  const totals = spatial.map((size, i) => {
    // A stride of 1 needs no size: the padding is whatever keeps the length.
    if (strides[i] === 1) return dilations[i]! * (kernel[i]! - 1);
    if (typeof size !== "number") return fail(node, `expected known spatial sizes for auto_pad ${mode}`);
    const outputs = Math.ceil(size / strides[i]!);
    return Math.max(0, (outputs - 1) * strides[i]! + dilations[i]! * (kernel[i]! - 1) + 1 - size);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, i) => total - small[i]!);
  return mode === "SAME_LOWER"
    ? { kernel, strides, dilations, before: large, after: small }
    : { kernel, strides, dilations, before: small, after: large };
}

/** The attributes that say the same, for making another node with these windows. */
export const attributesOf = ({ kernel, strides, dilations, before, after }: Windows) => ({
  kernel_shape: kernel,
  strides,
  dilations,
  pads: [...before, ...after],
});

/** Length of the window's footprint: d(k − 1) + 1. */
export const footprint = (windows: Windows, axis: number): number =>
  windows.dilations[axis]! * (windows.kernel[axis]! - 1) + 1;

/** How many windows fit: ⌊(size + pads − footprint)/stride⌋ + 1; rounded up with `ceil`. */
export function windowCounts(windows: Windows, spatial: Shape, ceil = false): Dim[] {
  return spatial.map((size, i) => {
    const stride = windows.strides[i]!;
    const room = addDims(size, windows.before[i]! + windows.after[i]! - footprint(windows, i));
    if (!ceil) return addDims(divideDims(room, stride), 1);
    const count = addDims(divideDims(addDims(room, stride - 1), stride), 1);
    // A window that would start in the padding after the input is left out.
    const starts = typeof count === "number" && typeof size === "number" ? (count - 1) * stride : null;
    return starts !== null && starts >= (size as number) + windows.before[i]! ? addDims(count, -1) : count;
  });
}

/** Sizes that have to be numbers, or an error that says which. */
export function known(node: Named, shape: Shape): number[] {
  return shape.map((dim) => (typeof dim === "number" ? dim : fail(node, `expected known spatial sizes, not "${dim}"`)));
}

/** Zeros before and after the given axes; negative counts cut off. */
export function padAxes(
  g: Builder,
  x: Value,
  axes: readonly number[],
  before: readonly number[],
  after: readonly number[],
): Value {
  if ([...before, ...after].every((count) => count === 0)) return x;
  const rank = x.shape.length;
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    pads[axis] = before[i]!;
    pads[rank + axis] = after[i]!;
  });
  return g.node("Pad", [x, g.integers(pads), g.constant(0, { type: x.type })]);
}

/** Every tap of the kernel: its offset along each spatial axis, last axis fastest. */
export function taps(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, length) => all.flatMap((tap) => Array.from({ length }, (_, i) => [...tap, i])),
    [[]],
  );
}

/**
 * What one tap of every window sees: a strided slice of the padded input.
 *
 * @param axes    Spatial axes of `padded`.
 * @param counts  Number of windows along each.
 */
export function seenBy(
  g: Builder,
  padded: Value,
  axes: readonly number[],
  tap: readonly number[],
  windows: Windows,
  counts: readonly number[],
): Value {
  const starts = tap.map((offset, i) => offset * windows.dilations[i]!);
  const ends = starts.map((start, i) => start + (counts[i]! - 1) * windows.strides[i]! + 1);
  return g.node("Slice", [padded, g.integers(starts), g.integers(ends), g.integers(axes), g.integers(windows.strides)]);
}

/** Puts stride − 1 zeros between neighbours along each axis: sizes n become (n − 1)·stride + 1. */
export function spread(g: Builder, x: Value, axes: readonly number[], strides: readonly number[]): Value {
  return axes.reduce((value, axis, i) => {
    const stride = strides[i]!;
    if (stride === 1) return value;
    const wide = padAxes(g, g.unsqueeze(value, [axis + 1]), [axis + 1], [0], [stride - 1]);
    const size = multiplyDims(value.shape[axis]!, stride);
    const merged = g.reshape(wide, value.shape.with(axis, size));
    return padAxes(g, merged, [axis], [0], [1 - stride]);
  }, x);
}

/** x with the order of the given axes' elements reversed. */
export function flip(g: Builder, x: Value, axes: readonly number[]): Value {
  const turned = axes.filter((axis) => x.shape[axis] !== 1);
  if (turned.length === 0) return x;
  const all = (value: number): Value => g.integers(turned.map(() => value));
  return g.node("Slice", [x, all(-1), all(-(2 ** 31)), g.integers(turned), all(-1)]);
}
