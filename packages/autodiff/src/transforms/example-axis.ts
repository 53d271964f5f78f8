/** Which elements of a value belong to which example: where the batch is, also inside an axis that it was merged into. */
import { atomsOf, exactQuotient, multiplyDims, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import { producer, type Node, type Value } from "../ir/graph.js";
import { permutation } from "../ops/layout.js";

/** Axis `axis` is [before, batch, after] in one, row-major. */
export interface ExampleAxis {
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

/** Ops whose output has, at every place, what their inputs have there; broadcast from the last axis. */
const elementwise = new Set([
  ...[
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Min",
    "Max",
    "Where",
    "Clip",
    "Cast",
    "Identity",
    "Neg",
    "Abs",
    "Sqrt",
    "Exp",
  ],
  ...["Log", "Sign", "Reciprocal", "Tanh", "Sigmoid", "Erf", "Relu", "LeakyRelu", "Elu", "Gelu", "Softplus", "Not"],
  ...["Sin", "Cos", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or"],
]);

/** Ops that keep the axes of their first input before the last, or (for images) the first. */
const keepsLeading: Readonly<Record<string, (axis: number, rank: number) => boolean>> = {
  Gemm: (axis) => axis === 0,
  MatMul: (axis, rank) => axis < rank - 1,
  Conv: (axis) => axis === 0,
  ConvTranspose: (axis) => axis === 0,
  MaxPool: (axis) => axis === 0,
  AveragePool: (axis) => axis === 0,
  BatchNormalization: (axis) => axis === 0,
  LayerNormalization: () => true,
  Softmax: (axis, rank) => axis < rank - 1,
  LogSoftmax: (axis, rank) => axis < rank - 1,
};

/**
 * @param batch  The symbol for the number of examples.
 * @returns      null where the value does not depend on the batch, or where its examples lie is not known for certain.
 */
export function exampleAxis(value: Value, batch: string): ExampleAxis | null {
  const plain = value.shape.indexOf(batch);
  const axes = value.shape.flatMap((dim, axis) => (atomsOf(dim).includes(batch) ? [axis] : []));
  if (axes.length !== 1) return null;
  if (plain >= 0) return { axis: plain, before: 1, after: 1 };
  const axis = axes[0]!;
  const node = producer(value);
  if (node === null || exactQuotient(value.shape[axis]!, batch) === null) return null;
  return mergedAxis(node, value, axis, batch);
}

function mergedAxis(node: Node, value: Value, axis: number, batch: string): ExampleAxis | null {
  const [first] = node.inputs as readonly [Value];
  switch (node.op) {
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
      return throughReshape(first, value, axis, batch);
    case "Transpose": {
      const source = permutation(node.attributes.perm as readonly number[] | undefined, first)[axis]!;
      const found = exampleAxis(first, batch);
      return found?.axis === source ? { ...found, axis } : null;
    }
    default: {
      const rank = value.shape.length;
      if (keepsLeading[node.op]?.(axis, rank)) return sameAxis(first, value.shape, axis, batch);
      if (!elementwise.has(node.op)) return null;
      for (const input of node.inputs) {
        const offset = rank - (input?.shape.length ?? 0);
        const found = input && axis >= offset && sameAxis(input, value.shape.slice(offset), axis - offset, batch);
        if (found) return { ...found, axis };
      }
      return null;
    }
  }
}

function sameAxis(input: Value, shape: Shape, axis: number, batch: string): ExampleAxis | null {
  if (input.shape[axis] !== shape[axis]) return null;
  const found = exampleAxis(input, batch);
  return found?.axis === axis ? found : null;
}

/** A reshape keeps how many elements lie between one example and the next. */
function throughReshape(input: Value, value: Value, axis: number, batch: string): ExampleAxis | null {
  const found = exampleAxis(input, batch);
  if (found === null) return null;
  const stride = multiplyDims(found.after, sizeOf(input.shape.slice(found.axis + 1)));
  const after = exactQuotient(stride, sizeOf(value.shape.slice(axis + 1)));
  const rest = after === null ? null : exactQuotient(value.shape[axis]!, multiplyDims(batch, after));
  return after === null || rest === null ? null : { axis, before: rest, after };
}
