/** The windows of a convolution as the rows of a matrix (im2col), and the layouts around it. */
import type { Builder } from "../builder/builder.js";
import { multiplyDims, sizeOf, type Dim } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { padAxes, seenBy, taps, type Windows } from "./windows.js";

/**
 * The input's windows as rows (im2col): [n·positions, taps·channels]. Channels come last so that each tap is one contiguous
 * copy.
 */
export function windowRows(g: Builder, x: Value, windows: Windows, counts: readonly number[]): Value {
  const rank = windows.kernel.length;
  const axes = windows.kernel.map((_, i) => i + 1);
  const padded = padAxes(g, channelsLast(g, x), axes, windows.before, windows.after);
  const seen = taps(windows.kernel).map((tap) => seenBy(g, padded, axes, tap, windows, counts));
  const columns = Number(sizeOf(windows.kernel)) * (x.shape[1] as number);
  return g.reshape(g.concat(seen, rank + 1), [multiplyDims(x.shape[0]!, sizeOf(counts)), columns]);
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
