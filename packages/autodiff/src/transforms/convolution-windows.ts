/** What a convolution's kernel is multiplied with: the windows of its input. */
import type { Builder } from "../builder/builder.js";
import { sizeOf, type Shape } from "../ir/dims.js";
import type { Attributes, Value } from "../ir/graph.js";
import { windowRows } from "../ops/window-rows.js";
import { known, windowCounts, windowsOf } from "../ops/windows.js";

/** The parts of a parameter use of kind "convolution" that say where its windows lie. */
export interface ConvolutionUse {
  readonly attributes: Attributes;
  /** The kernel's, [out, in/group, …]. */
  readonly shape: Shape;
  readonly input: Value;
}

export interface ConvolutionWindows {
  /** [n, positions, taps, in]: the gradient of the kernel is Σ over positions of window × cotangent, in its group. */
  readonly windows: Value;
  readonly group: number;
  readonly positions: number;
  readonly taps: number;
}

/**
 * The windows of a convolution, channels last, taps in the kernel's own order.
 *
 * @throws ShapeError if the spatial sizes are not known.
 */
export function convolutionWindows(g: Builder, { attributes, shape, input }: ConvolutionUse): ConvolutionWindows {
  const node = { op: "convolutionWindows", name: "", inputs: [input], attributes };
  const kernel = known(node, shape.slice(2));
  const windows = windowsOf(node, attributes as Parameters<typeof windowsOf>[1], kernel, input.shape.slice(2));
  const counts = known(node, windowCounts(windows, input.shape.slice(2)));
  const positions = Number(sizeOf(counts));
  const taps = Number(sizeOf(kernel));
  const rows = windowRows(g, input, windows, counts);
  const [batch, channels] = input.shape;
  return {
    windows: g.reshape(rows, [batch!, positions, taps, channels!]),
    group: Number(attributes.group ?? 1),
    positions,
    taps,
  };
}
