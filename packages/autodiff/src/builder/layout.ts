import { sameShape, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { broadcastAxes, constantTarget } from "../ir/shapes.js";
import { ElementwiseBuilder } from "./elementwise.js";

/** Arranging, repeating, choosing and joining elements. */
export abstract class LayoutBuilder extends ElementwiseBuilder {
  /** The same elements in another shape; one entry may be −1, for what is left. */
  reshape(x: Value, shape: Shape): Value {
    const known = shape.includes(-1) ? (shape as readonly number[]) : constantTarget(x.shape, shape);
    return this.node("Reshape", [x, known ? this.integers(known) : this.shapeTensor(shape)]);
  }

  /** Reorders axes; reverses them without a permutation. */
  transpose(x: Value, perm?: readonly number[]): Value {
    return this.node("Transpose", [x], { perm });
  }

  /** Swaps the last two axes. */
  transposeLast(x: Value): Value {
    const rank = x.shape.length;
    return this.transpose(
      x,
      x.shape.map((_, axis) => (axis === rank - 2 ? rank - 1 : axis === rank - 1 ? rank - 2 : axis)),
    );
  }

  squeeze(x: Value, axes: readonly number[]): Value {
    return this.node("Squeeze", [x, this.integers(axes)]);
  }

  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.node("Unsqueeze", [x, this.integers(axes)]);
  }

  /** A matrix of the axes before `axis` by the others. */
  flatten(x: Value, axis = 1): Value {
    return this.node("Flatten", [x], { axis });
  }

  /** x repeated to the shape; x itself if it has it. */
  expandTo(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    // Expand broadcasts both ways: 1 stands for every size that x has already, so only new symbols must be computed.
    const padding = shape.length - x.shape.length;
    const target = shape.map((dim, axis): Dim => (axis >= padding && x.shape[axis - padding] === dim ? 1 : dim));
    return this.node("Expand", [x, this.shapeTensor(target)]);
  }

  /** x summed over the axes along which `shape` was repeated to x's: the adjoint of broadcasting. */
  sumTo(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    const sum = this.node("ReduceSum", [x, this.integers(broadcastAxes(shape, x.shape))], { keepdims: 0 });
    return this.reshape(sum, shape);
  }

  /** Joins along an axis. */
  concat(values: readonly Value[], axis: number): Value {
    return this.node("Concat", values, { axis });
  }

  /** The parts of x along an axis, of the given sizes. */
  splitSizes(x: Value, sizes: readonly Dim[], axis: number): readonly Value[] {
    return sizes.length === 1 ? [x] : this.nodeOutputs("Split", [x, this.shapeTensor(sizes)], { axis });
  }

  /** x[start:end] along one axis; a negative end counts from the back, the default is all of the rest. */
  slice(x: Value, axis: number, start: number, end: number = Number.MAX_SAFE_INTEGER, step = 1): Value {
    return this.node("Slice", [
      x,
      this.integers([start]),
      this.integers([end]),
      this.integers([axis]),
      this.integers([step]),
    ]);
  }

  /** x at the given indices of an axis, which their axes replace. */
  gather(x: Value, indices: Value, axis = 0): Value {
    return this.node("Gather", [x, indices], { axis });
  }

  /** Zeros (or another number) of a shape. */
  full(shape: Shape, value: number, like: Value): Value {
    return this.expandTo(this.constant(value, { type: like.type }), shape);
  }

  zerosLike(x: Value): Value {
    return this.full(x.shape, 0, x);
  }

  /** The int64 tensor [n] of these numbers. */
  integers(numbers: readonly number[]): Value {
    return this.constant(numbers, { type: "int64" });
  }

  /** Joins values end to end into one vector. */
  pack(values: readonly Value[]): Value {
    return this.concat(
      values.map((value) => this.reshape(value, [sizeOf(value.shape)])),
      0,
    );
  }

  /** Undoes `pack`: the parts of a vector, in the given shapes. */
  unpack(vector: Value, shapes: readonly Shape[]): Value[] {
    const parts = this.splitSizes(vector, shapes.map(sizeOf), 0);
    return shapes.map((shape, i) => this.reshape(parts[i]!, shape));
  }
}
