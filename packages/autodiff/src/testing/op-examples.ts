/**
 * A smallest example of every operator: what docs/autodiff/operators.md is made from, and what runs in a browser to compare.
 * Arguments keep away from kinks and poles, so that central differences see one smooth piece.
 */
import { graphOf, Builder } from "../builder/builder.js";
import { sizeOf } from "../ir/dims.js";
import type { Attributes, Graph, Value } from "../ir/graph.js";
import { isFloat, tensor, type Tensor } from "../ir/tensor.js";
import { withFloats } from "../passes/float64.js";
import type { CheckedInput, OpCheck } from "./check-op.js";
import { testRandom } from "./random.js";

export type OpExample = Pick<OpCheck, "build" | "inputs">;

const node =
  (op: string, attributes: Attributes = {}): OpExample["build"] =>
  (b, inputs) =>
    b.node(op, inputs, attributes);

const X: CheckedInput = { shape: [2, 3] };
const positive: CheckedInput = { shape: [2, 3], low: 0.5, high: 2 };
/** On both sides of 0, none near it, no two alike. */
const apart: CheckedInput = { shape: [2, 3], values: [-0.9, 0.4, 0.7, -0.3, 1.3, -1.6] };
const other: CheckedInput = { shape: [2, 3], values: [0.2, -0.8, 1.1, 0.5, -1.2, -0.4] };
const logical = (...values: number[]): CheckedInput => ({ shape: [values.length], values, type: "bool" });
const integers = (shape: readonly number[], ...values: number[]): CheckedInput => ({ shape, values, type: "int64" });
const image: CheckedInput = { shape: [1, 2, 4, 4] };
const channel: CheckedInput = { shape: [2], low: 0.5, high: 1.5 };

const whole = (b: Builder, ...values: number[]): Value => b.constant(values, { type: "int64" });

const one = (op: string, input: CheckedInput, attributes: Attributes = {}): [string, OpExample] => [
  op,
  { build: node(op, attributes), inputs: [input] },
];
const many = (op: string, inputs: readonly CheckedInput[], attributes: Attributes = {}): [string, OpExample] => [
  op,
  { build: node(op, attributes), inputs },
];
const reduce = (op: string, input: CheckedInput): [string, OpExample] => [
  op,
  { build: (b, [x]) => b.node(op, [x!, whole(b, 1)], { keepdims: 0 }), inputs: [input] },
];

export const opExamples: Readonly<Record<string, OpExample>> = Object.fromEntries<OpExample>([
  ...["Cos", "Cosh", "Erf", "Exp", "Gelu", "Identity", "Mish", "Neg", "Sigmoid", "Sin", "Sinh", "Softplus", "Tan"].map(
    (op) => one(op, X),
  ),
  ...["Tanh", "Softmax", "LogSoftmax", "Flatten", "Transpose"].map((op) => one(op, X)),
  ...["Acos", "Asin", "Atan"].map((op) => one(op, { shape: [2, 3], low: -0.8, high: 0.8 })),
  ...["Log", "Reciprocal", "Sqrt"].map((op) => one(op, positive)),
  ...["Abs", "Celu", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Selu", "Sign", "Softsign"].map((op) =>
    one(op, apart),
  ),
  ...["Ceil", "Floor", "Round", "IsNaN"].map((op) => one(op, apart)),
  one("ThresholdedRelu", apart, { alpha: 0.5 }),

  ...["Add", "Max", "Mean", "Min", "Mul", "Sub", "Sum"].map((op) => many(op, [apart, other])),
  many("Div", [X, positive]),
  many("Pow", [positive, X]),
  many("Mod", [positive, { shape: [2, 3], low: 3, high: 4 }], { fmod: 1 }),
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map((op) => many(op, [apart, other])),
  ...["And", "Or", "Xor"].map((op) => many(op, [logical(0, 0, 1, 1), logical(0, 1, 0, 1)])),
  one("Not", logical(0, 1)),
  many("Where", [{ shape: [2, 3], values: [1, 0, 0, 1, 1, 0], type: "bool" }, X, X]),
  ["Clip", { build: (b, [x]) => b.clip(x!, -0.5, 0.5), inputs: [apart] }],
  ["Cast", { build: (b, [x]) => b.cast(b.cast(x!, "int32"), "float32"), inputs: [apart] }],

  ...["ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"].map((op) =>
    reduce(op, apart),
  ),
  ...["ReduceLogSum", "ReduceProd"].map((op) => reduce(op, positive)),
  reduce("ReduceSumSquare", X),
  many("MatMul", [{ shape: [2, 2, 3] }, { shape: [2, 3, 2] }]),
  many("Gemm", [{ shape: [2, 3] }, { shape: [3, 2] }, { shape: [2] }]),
  many("Einsum", [{ shape: [2, 3] }, { shape: [2, 3] }, { shape: [3, 2] }], { equation: "ni,ni,io->no" }),

  ["Reshape", { build: (b, [x]) => b.reshape(x!, [3, 2]), inputs: [X] }],
  ["Squeeze", { build: (b, [x]) => b.squeeze(x!, [1]), inputs: [{ shape: [2, 1, 3] }] }],
  ["Unsqueeze", { build: (b, [x]) => b.unsqueeze(x!, [1]), inputs: [X] }],
  ["Expand", { build: (b, [x]) => b.expandTo(x!, [2, 3]), inputs: [{ shape: [2, 1] }] }],
  ["Tile", { build: (b, [x]) => b.node("Tile", [x!, whole(b, 2, 1)]), inputs: [X] }],
  many("Concat", [X, { shape: [2, 1] }], { axis: 1 }),
  ["Split", { build: (b, [x]) => b.nodeOutputs("Split", [x!, whole(b, 1, 2)], { axis: 1 }), inputs: [X] }],
  ["Slice", { build: (b, [x]) => b.slice(x!, 1, 0, 3, 2), inputs: [X] }],
  ["Pad", { build: (b, [x]) => b.node("Pad", [x!, whole(b, 0, 1, 1, 0)]), inputs: [X] }],
  many("Gather", [X, integers([3], 1, 0, 1)]),
  many("GatherElements", [X, integers([2, 2], 1, 0, 2, 2)], { axis: 1 }),
  many("GatherND", [X, integers([2, 2], 1, 0, 0, 2)]),
  many("ScatterElements", [X, integers([2, 1], 1, 2), { shape: [2, 1] }], { axis: 1 }),
  many("ScatterND", [X, integers([1, 1], 1), { shape: [1, 3] }]),

  ["Shape", { build: (b, [x]) => b.node("Shape", [x!]), inputs: [{ ...X, declared: ["n", 3] }] }],
  ["Size", { build: (b, [x]) => b.node("Size", [x!]), inputs: [{ ...X, declared: ["n", 3] }] }],
  [
    "ConstantOfShape",
    {
      build: (b, [x]) => b.node("ConstantOfShape", [b.node("Shape", [x!])], { value: tensor([2], [1]) }),
      inputs: [{ ...X, declared: ["n", 3] }],
    },
  ],
  [
    "Range",
    {
      build: (b, [x]) => {
        const n = b.squeeze(b.node("Shape", [x!], { start: 0, end: 1 }), [0]);
        return b.node("Range", [b.constant(0, { type: "int64" }), n, b.constant(1, { type: "int64" })]);
      },
      inputs: [{ ...X, declared: ["n", 3] }],
    },
  ],
  [
    "Loop",
    {
      build: (b, [count]) => {
        const body = ({ step }: { step: Value }) => ({ state: {}, scan: { steps: step } });
        return b.loop({ steps: b.squeeze(count!, [0]), state: {}, body }).scan.steps;
      },
      inputs: [integers([1], 3)],
    },
  ],

  many("Conv", [image, { shape: [2, 2, 3, 3] }, { shape: [2] }], { pads: [1, 1, 1, 1] }),
  many("ConvTranspose", [image, { shape: [2, 1, 2, 2] }], { strides: [2, 2] }),
  one("AveragePool", image, { kernel_shape: [2, 2], strides: [2, 2] }),
  one("MaxPool", image, { kernel_shape: [2, 2], strides: [2, 2] }),
  ...["GlobalAveragePool", "GlobalMaxPool"].map((op) => one(op, image)),
  many("BatchNormalization", [image, channel, channel, channel, channel]),
  many("InstanceNormalization", [image, channel, channel]),
  many("GroupNormalization", [image, channel, channel], { num_groups: 1 }),
  many("LayerNormalization", [{ shape: [2, 4] }, { shape: [4] }, { shape: [4] }]),
  many("RMSNormalization", [{ shape: [2, 4] }, { shape: [4] }]),
]);

/** What an example computes, and its gradient Jᵀ·1 where it has one, with inputs to run it on. */
export function exampleGraph(
  { build, inputs }: OpExample,
  precision: "float32" | "float64",
): { graph: Graph; feeds: Record<string, Tensor> } {
  const random = testRandom(3);
  const b = new Builder();
  const x = inputs.map(({ shape, declared, type = "float64" }, i) => b.input(`x${i}`, declared ?? shape, type));
  const built = build(b, x);
  const y = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
  const smooth = y.filter(({ type }) => isFloat(type));
  const wrt = x.filter(({ type }) => isFloat(type));
  const ones = smooth.map((value) => b.expandTo(b.constant(1, { type: value.type }), value.shape));
  const gradients = wrt.length > 0 ? b.vjp(smooth, ones, wrt) : [];
  const outputs: Record<string, Value> = Object.fromEntries(y.map((value, i) => [`y${i}`, value]));
  gradients.forEach((value, i) => value && (outputs[`gradient${i}`] = value));
  const wide = graphOf(outputs, "example", b.declaredInputs());
  const feeds = inputs.map(({ shape, low = -1, high = 1, values, type = precision }, i): [string, Tensor] => [
    `x${i}`,
    tensor(values ?? random.array(sizeOf(shape) as number, low, high), shape as number[], type),
  ]);
  return {
    graph: precision === "float64" ? wide : withFloats(wide, "float64", "float32"),
    feeds: Object.fromEntries(feeds),
  };
}
