/** How exact float32 can be: the number of roundings that a result passes through, one after another. */
import { Builder, graphOf } from "../builder/builder.js";
import { isStatic, sizeOf, type Dim } from "../ir/dims.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { nodesReaching } from "../ir/traverse.js";

/** Half a unit in the last place of 1: the largest relative error of one float32 operation. */
export const FLOAT32_ROUNDING = 2 ** -24;

/** Kernels of transcendental functions are right to some units in the last place, or 8 half ones. */
const TRANSCENDENTAL = 8;
const transcendental = new Set(["Tanh", "Exp", "Erf", "Gelu", "Log", "Sigmoid", "Sqrt"]);
const exact = new Set([
  ...["Reshape", "Transpose", "Slice", "Split", "Concat", "Squeeze", "Unsqueeze", "Expand", "Pad", "Neg", "Gather"],
  ...["Shape", "Cast", "Identity", "ConstantOfShape", "Range", "Tile"],
]);

/**
 * The most roundings one after another between the inputs and an output, for `examples` examples: a product or sum of K terms
 * counts K, any other operation 1. Times 2⁻²⁴ it bounds, to first order, the relative error of a result whose sums have
 * terms of one sign. Where terms cancel the error is larger by Σ|terms| / |Σ terms|; where roundings have random signs,
 * as they nearly do, it is smaller by the root of the count.
 */
export function roundings(graph: Graph, symbols: Readonly<Record<string, number>>): number {
  const b = new Builder();
  const inputs = Object.entries(graph.inputs).map(([name, { shape, type }]): [string, Value] => [
    name,
    b.input(
      name,
      shape.map((dim) => (typeof dim === "string" ? (symbols[dim] ?? dim) : dim)),
      type,
    ),
  ]);
  const { outputs } = graphOf(b.call(graph, Object.fromEntries(inputs)), graph.name);
  const values = Object.values(outputs);
  const depth = new Map<Value, number>();
  const depthOf = (value: Value | null): number => (value && depth.get(value)) ?? 0;
  for (const node of nodesReaching(values)) {
    const total = Math.max(...node.inputs.map(depthOf)) + roundingsIn(node);
    node.outputs.forEach((output) => depth.set(output, total));
  }
  return Math.max(...values.map(depthOf));
}

function roundingsIn({ op, inputs, outputs, attributes }: Node): number {
  if (exact.has(op)) return 0;
  if (transcendental.has(op)) return TRANSCENDENTAL;
  const [a, w] = inputs as readonly [Value, Value | undefined];
  const terms = (dims: readonly Dim[]): number => sizeOf(dims) as number;
  if (!isStatic(a.shape)) throw new Error(`roundings: ${op} has an input of unknown size.`);
  switch (op) {
    case "Gemm":
      return a.shape[attributes.transA === 1 ? 0 : 1]! + 1;
    case "MatMul":
      return a.shape.at(-1)!;
    case "Conv":
    case "ConvTranspose":
      return terms(w!.shape.slice(op === "Conv" ? 1 : 2)) * (op === "Conv" ? 1 : a.shape[1]!) + 1;
    case "AveragePool":
      return terms(attributes.kernel_shape as readonly number[]);
    case "LogSoftmax":
    case "Softmax":
      return a.shape.at(-1)! + 2 * TRANSCENDENTAL;
    default:
      return op.startsWith("Reduce") ? terms(a.shape) / terms(outputs[0].shape) : 1;
  }
}

/**
 * The tolerance for comparing a float32 run with float64 numbers, relative and by the norm: 4·√R·2⁻²⁴ for R roundings one
 * after another. Roundings of random sign add up to √R·2⁻²⁴ at most; the 4 is room for sums that cancel.
 */
export const float32Tolerance = (graph: Graph, symbols: Readonly<Record<string, number>>): number =>
  4 * Math.sqrt(roundings(graph, symbols)) * FLOAT32_ROUNDING;
