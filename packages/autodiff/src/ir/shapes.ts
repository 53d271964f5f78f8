/** Shape arithmetic shared by the ops. */
import { sameShape, type Dim, type Shape } from "./dims.js";

/**
 * The common shape of operands under ONNX (NumPy) broadcasting, or null if there is none. A symbolic dimension
 * broadcasts with 1 and with itself only.
 */
export function broadcast(...shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: Dim[] = new Array<Dim>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const at = rank - shape.length + axis;
      const dim = shape[axis]!;
      if (dim === 1 || dim === result[at]) continue;
      if (result[at] !== 1) return null;
      result[at] = dim;
    }
  }
  return result;
}

/** The axes of `shape` along which an operand of shape `operand` was repeated, padded axes included. */
export function broadcastAxes(operand: Shape, shape: Shape): number[] {
  const padding = shape.length - operand.length;
  return shape.flatMap((dim, axis) => (axis < padding || (operand[axis - padding] === 1 && dim !== 1) ? [axis] : []));
}

/** Whether a value of shape `from` may be repeated to exactly `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  const joined = broadcast(from, to);
  return joined !== null && sameShape(joined, to);
}

/** Axes in ascending order, counted from the front; all of them for null. */
export function resolveAxes(axes: readonly number[] | null, rank: number): number[] {
  const all =
    axes === null
      ? Array.from({ length: rank }, (_, axis) => axis)
      : axes.map((axis) => (axis < 0 ? axis + rank : axis));
  return all.sort((a, b) => a - b);
}

/**
 * The target of a Reshape as constants: 0 copies the input's size on the same axis, −1 is worked out from the rest. null
 * where two or more sizes would have to be worked out.
 */
export function constantTarget(from: Shape, to: Shape): number[] | null {
  const target = to.map((dim, axis) => (typeof dim === "number" ? dim : dim === from[axis] ? 0 : -1));
  return target.filter((dim) => dim === -1).length <= 1 && !to.includes(0) ? target : null;
}
