import type { Builder, Dim, ExampleAxis, Shape, Value } from "@sedge/autodiff";

/** Σ-free bookkeeping of axes: every array of a layer as [n, positions, width], the examples first. */

/** The product of known sizes. */
export function product(sizes: readonly Dim[]): number {
  return sizes.reduce<number>((all, size) => {
    if (typeof size !== "number") throw new RangeError(`ntk: size "${size}" is not known before the model runs.`);
    return all * size;
  }, 1);
}

/** Axis `axis` of [… before·n·after …] taken apart, the examples then moved to the front: [n, …, before, after, …]. */
function examplesFirst(b: Builder, value: Value, { axis, before, after }: ExampleAxis, examples: Dim): Value {
  const { shape } = value;
  const parts = [before, examples, after];
  const apart =
    before === 1 && after === 1
      ? value
      : b.reshape(value, [...shape.slice(0, axis), ...parts, ...shape.slice(axis + 1)]);
  const at = before === 1 && after === 1 ? axis : axis + 1;
  const others = apart.shape.flatMap((_, i) => (i === at ? [] : [i]));
  return b.transpose(apart, [at, ...others]);
}

/** As [n, positions, width], width the last axis of `value` (all axes from `from` on), positions all the others. */
export function byPosition(
  b: Builder,
  value: Value,
  place: ExampleAxis,
  examples: Dim,
  from = value.shape.length - 1,
): Value {
  const width = product(value.shape.slice(from));
  const lead: Shape = value.shape.slice(0, from);
  const positions = product([...lead.filter((_, i) => i !== place.axis), place.before, place.after]);
  const first = examplesFirst(b, value, place, examples);
  return b.reshape(first, [examples, positions, width]);
}

/** Each example's part of `value` summed to `shape`, which broadcasts to it: [n, P], P the elements of `shape`. */
export function summedTo(b: Builder, value: Value, shape: Shape, place: ExampleAxis, examples: Dim): Value {
  const first = examplesFirst(b, value, place, examples);
  const offset = value.shape.length - shape.length;
  const isSplit = place.before !== 1 || place.after !== 1;
  // Axes of `first` after that of the examples, and whether the parameter has them.
  const kept = value.shape.flatMap((_, axis) => {
    if (axis === place.axis) return isSplit ? [false, false] : [];
    return [axis >= offset && shape[axis - offset] !== 1];
  });
  const summed = kept.flatMap((keep, i) => (keep ? [] : [i + 1]));
  const sums = summed.length > 0 ? b.reduceSum(first, summed) : first;
  return b.reshape(sums, [examples, product(shape)]);
}
