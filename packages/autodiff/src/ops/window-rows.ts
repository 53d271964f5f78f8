/** The windows of a convolution as the rows of a matrix (im2col), and the layouts around it. */
import type { Builder } from "../builder/builder.js";
import { isStatic, multiplyDims, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { tensor } from "../ir/tensor.js";
import { once } from "./shared-constants.js";
import { padAxes, seenBy, taps, type Windows } from "./windows.js";

/** Fewer channels than this are too short a copy for an index each. */
const ENOUGH_CHANNELS = 16;
/** Indices of windows that are kept as a constant: half a megabyte. */
const MOST_INDICES = 2 ** 16;

/**
 * The input's windows as rows (im2col): [n·positions, taps·channels]. Channels come last so that each tap is one contiguous
 * copy; one Gather makes them all, in half the time of a slice for each tap, and on all threads.
 */
export function windowRows(g: Builder, x: Value, windows: Windows, counts: readonly number[]): Value {
  const rank = windows.kernel.length;
  const axes = windows.kernel.map((_, i) => i + 1);
  const channels = x.shape[1] as number;
  const padded = padAxes(g, channelsLast(g, x), axes, windows.before, windows.after);
  const size = Number(sizeOf(windows.kernel));
  const rows: Shape = [multiplyDims(x.shape[0]!, sizeOf(counts)), size * channels];
  const sizes = padded.shape.slice(1, -1);
  if (isStatic(sizes) && channels >= ENOUGH_CHANNELS && size > 1 && size * Number(sizeOf(counts)) <= MOST_INDICES) {
    const places = g.reshape(padded, [x.shape[0]!, sizeOf(sizes), channels]);
    return g.reshape(g.gather(places, g.constant(placesOfWindows(windows, counts, sizes)), 1), rows);
  }
  const seen = taps(windows.kernel).map((tap) => seenBy(g, padded, axes, tap, windows, counts));
  return g.reshape(g.concat(seen, rank + 1), rows);
}

/** For each window, where each of its taps looks, among the places of the padded input: [positions · taps]. */
function placesOfWindows({ kernel, strides, dilations }: Windows, counts: readonly number[], sizes: readonly number[]) {
  return once(`windows/${[kernel, strides, dilations, counts, sizes].join("/")}`, () => {
    const offsets = taps(kernel).map((tap) => tap.map((step, axis) => step * dilations[axis]!));
    const places = taps(counts).flatMap((position) =>
      offsets.map((offset) =>
        sizes.reduce((place, size, axis) => place * size + position[axis]! * strides[axis]! + offset[axis]!, 0),
      ),
    );
    return tensor(places, [places.length], "int64");
  });
}

export const channelsLast = (g: Builder, x: Value): Value =>
  g.transpose(x, [0, ...x.shape.map((_, axis) => axis).slice(2), 1]);

export const channelsSecond = (g: Builder, x: Value): Value => {
  const last = x.shape.length - 1;
  return g.transpose(x, [0, last, ...x.shape.map((_, axis) => axis).slice(1, last)]);
};

/** Rows (rows, taps·C) with each group's channels together: (group, rows, taps·C/group). */
export function byGroup(g: Builder, rows: Value, tapCount: number, group: number): Value {
  const [count, columns] = rows.shape as readonly [Dim, number];
  const each = columns / tapCount / group;
  const apart = g.transpose(g.reshape(rows, [count, tapCount, group, each]), [2, 0, 1, 3]);
  return g.reshape(apart, [group, count, tapCount * each]);
}
