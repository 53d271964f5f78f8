/**
 * Arithmetic on constants that only arranges them: Reshape, Transpose, Slice. The builder folds vectors of sizes as
 * it goes; exporters also compute with small integer matrices, such as the pads of a Pad.
 */
import type { Builder } from "../builder/builder.js";
import { isStatic } from "../ir/dims.js";
import { constantOf, producer, type Value } from "../ir/graph.js";
import { arrayClasses, numbersOf, type Tensor } from "../ir/tensor.js";

/** Largest result worth computing while reading a file. */
const LARGEST = 4096;

/** The value as a constant where it arranges elements of a constant, else the value itself. */
export function foldArrangement(g: Builder, value: Value): Value {
  const node = producer(value);
  const source = constantOf(node?.inputs[0]);
  if (node === null || source === null || !isStatic(value.shape) || node.outputs.length !== 1) return value;
  const shape = value.shape;
  if (shape.reduce((product, dim) => product * dim, 1) > LARGEST) return value;
  const others = node.inputs.slice(1).map((input) => (input === null ? null : (constantOf(input) ?? undefined)));
  if (others.includes(undefined)) return value;
  const numbers = others.map((held) => (held ? numbersOf(held) : null));
  const from = placeOf(node.op, node.attributes, source, shape, numbers);
  return from === null ? value : g.constant(arranged(source, shape, from));
}

/** Which element of the source comes to a place of the result; null for ops that do more than arrange. */
function placeOf(
  op: string,
  attributes: Readonly<Record<string, unknown>>,
  source: Tensor,
  shape: readonly number[],
  inputs: readonly (readonly number[] | null)[],
): ((place: readonly number[], flat: number) => number) | null {
  const strides = stridesOf(source.shape);
  const rank = source.shape.length;
  const flatten = (place: readonly number[]): number => place.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  switch (op) {
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
    case "Flatten":
      return (_, flat) => flat;
    case "Transpose": {
      const perm = (attributes.perm as readonly number[] | undefined) ?? shape.map((_, axis) => rank - 1 - axis);
      return (place) => place.reduce((sum, at, axis) => sum + at * strides[perm[axis]!]!, 0);
    }
    case "Slice": {
      const [starts, , axesInput, stepsInput] = inputs;
      const axes = (axesInput ?? starts!.map((_, i) => i)).map((axis) => (axis < 0 ? axis + rank : axis));
      return (place) =>
        flatten(
          place.map((at, axis) => {
            const i = axes.indexOf(axis);
            if (i < 0) return at;
            const [size, step] = [source.shape[axis]!, stepsInput?.[i] ?? 1];
            const start = starts![i]! < 0 ? starts![i]! + size : starts![i]!;
            return Math.min(Math.max(start, 0), step < 0 ? size - 1 : size) + at * step;
          }),
        );
    }
    default:
      return null;
  }
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

function arranged(
  source: Tensor,
  shape: readonly number[],
  from: (place: readonly number[], flat: number) => number,
): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const strides = stridesOf(shape);
  const data = new arrayClasses[source.type](size);
  for (let flat = 0; flat < size; flat++) {
    const place = strides.map((stride, axis) => Math.floor(flat / stride) % shape[axis]!);
    data[flat] = source.data[from(place, flat)]!;
  }
  return { type: source.type, shape, data };
}
