/**
 * Arithmetic on constants that only arranges them: Reshape, Transpose, Slice. Vectors of sizes fold by their content as the
 * graph is built; exporters also compute with small matrices, such as the pads of a Pad.
 */
import { isStatic } from "../ir/dims.js";
import { constantOf, type Attributes, type Typed, type Value } from "../ir/graph.js";
import { arrayClasses, numbersOf, type Tensor } from "../ir/tensor.js";

/** Largest result worth computing while a graph is built. */
const LARGEST = 4096;

/** The result of an op that arranges the elements of a small constant, or null. */
export function foldArrangement(
  op: string,
  attributes: Attributes,
  inputs: readonly (Value | null)[],
  { shape }: Typed,
): Tensor | null {
  const source = constantOf(inputs[0]);
  if (source === null || !isStatic(shape) || shape.reduce((product, dim) => product * dim, 1) > LARGEST) return null;
  const numbers: (readonly number[] | null)[] = [];
  for (const input of inputs.slice(1)) {
    const held = constantOf(input);
    if (input !== null && held === null) return null;
    numbers.push(held && numbersOf(held));
  }
  const from = placeOf(op, attributes, source, shape, numbers);
  return from && arranged(source, shape, from);
}

/** Which element of the source comes to a place of the result; null for ops that do more than arrange. */
function placeOf(
  op: string,
  attributes: Attributes,
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
