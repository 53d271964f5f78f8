/** Dense Jacobians in float64, and small models with every kind of layer: the truth that kernels and norms are held to. */
import { compile, graph, tensor, vjp, type Builder, type Graph, type Tensor, type Value } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { sizeOf, type Params, type ParamSpec } from "../../models/model.js";
import type { ModelInputs } from "./inputs.js";
import type { DifferentiableModel } from "./tapped-model.js";

export interface TestModel extends DifferentiableModel {
  readonly name: string;
  readonly values: Params;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** n. */
  readonly examples: number;
}

/** J [n, C, P] in float64, a row at a time by reverse mode, with the columns of each parameter together in order. */
export async function denseJacobian(
  model: DifferentiableModel,
  values: Params,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<{ jacobian: Float64Array; size: number; columns: Map<string, { first: number; size: number }> }> {
  const names = model.params.map(({ name }) => name);
  const output = model.graph.outputs["output"]!;
  const session = await compile(vjp({ ...model.graph, outputs: { output } }, { of: "output", wrt: names }), {
    precision: "float64",
  });
  const feeds: Record<string, Tensor> = {};
  for (const [name, { data, shape, type }] of Object.entries(inputs)) {
    const isFloat = type === "float32" || type === "float64";
    feeds[name] = isFloat ? tensor(Float64Array.from(data as Float32Array), shape) : tensor(data, shape, type);
  }
  for (const { name, shape } of model.params) feeds[name] = tensor(Float64Array.from(values[name]!), shape);
  const examples = Object.values(inputs)[0]!.shape[0]!;
  const { outputs } = model;
  const shape = output.shape.map((dim, axis) =>
    axis === 0 ? examples : typeof dim === "number" ? dim : Object.values(inputs)[0]!.shape[axis]!,
  );
  const columns = new Map<string, { first: number; size: number }>();
  let size = 0;
  for (const spec of model.params) {
    columns.set(spec.name, { first: size, size: sizeOf(spec.shape) });
    size += sizeOf(spec.shape);
  }
  const jacobian = new Float64Array(examples * outputs * size);
  for (let row = 0; row < examples * outputs; row++) {
    const direction = new Float64Array(examples * outputs);
    direction[row] = 1;
    const result = await session.run({ ...feeds, "cotangent/output": tensor(direction, shape) });
    for (const [name, { first }] of columns) {
      jacobian.set(result[`gradient/${name}`]!.data as Float64Array, row * size + first);
    }
  }
  await session.dispose();
  return { jacobian, size, columns };
}

/** J D⁻¹ Jᵀ / n over some columns, [n·C, n·C]. */
export function denseKernel(
  jacobian: Float64Array,
  size: number,
  examples: number,
  { first = 0, count = size, divisor }: { first?: number; count?: number; divisor?: Float64Array } = {},
): Float64Array {
  const rows = jacobian.length / size;
  const kernel = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = first; k < first + count; k++) {
        sum += (jacobian[i * size + k]! * jacobian[j * size + k]!) / (divisor?.[k] ?? 1);
      }
      kernel[i * rows + j] = kernel[j * rows + i] = sum / examples;
    }
  }
  return kernel;
}

/** Largest deviation, relative to the largest entry. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = actual.length === expected.length ? 0 : Infinity;
  let largest = 0;
  for (let k = 0; k < expected.length; k++) {
    const deviation = Math.abs(actual[k]! - expected[k]!);
    error = Math.max(error, Number.isNaN(deviation) ? Infinity : deviation);
    largest = Math.max(largest, Math.abs(expected[k]!));
  }
  return error / largest;
}

/** Positive numbers between 0.2 and 2 for every parameter, as a preconditioner. */
export function testPreconditioner({ params }: DifferentiableModel): Record<string, Float32Array> {
  const random = createRandom("preconditioner");
  return Object.fromEntries(
    params.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => 0.2 + 1.8 * random.uniform()),
    ]),
  );
}

type Declare = (name: string, shape: readonly number[]) => Value;

function testModel(
  name: string,
  examples: number,
  inputs: Readonly<Record<string, { shape: readonly number[]; labels?: number }>>,
  build: (b: Builder, data: Readonly<Record<string, Value>>, param: Declare) => Value,
  { fixedBatch }: { fixedBatch?: number } = {},
): TestModel {
  const random = createRandom(name);
  const params: ParamSpec[] = [];
  const values: Record<string, Float32Array> = {};
  const model: Graph = graph(
    (b) => {
      const data = Object.entries(inputs).map(
        ([key, { shape, labels }]) =>
          [key, b.input(key, [fixedBatch ?? "batch", ...shape], labels ? "int64" : "float32")] as const,
      );
      const output = build(b, Object.fromEntries(data), (param, shape) => {
        params.push({ name: param, shape });
        values[param] = Float32Array.from({ length: sizeOf(shape) }, () => 0.6 * random.normal());
        return b.input(param, shape);
      });
      return { output };
    },
    { name },
  );
  const tensors = Object.entries(inputs).map(([key, { shape, labels }]) => {
    const length = examples * sizeOf(shape);
    const own = [examples, ...shape];
    const data = labels
      ? tensor(
          Array.from({ length }, () => random.integer(labels)),
          own,
          "int64",
        )
      : tensor(
          Float32Array.from({ length }, () => random.normal()),
          own,
        );
    return [key, data] as const;
  });
  const outputs = model.outputs["output"]!.shape.slice(1).reduce<number>((all, dim) => all * Number(dim), 1);
  return { name, graph: model, params, values, outputs, examples, inputs: Object.fromEntries(tensors) };
}

const convolution = (
  b: Builder,
  x: Value,
  w: Value,
  bias: Value | null,
  attributes: Record<string, number | number[]> = {},
) => b.node("Conv", [x, w, bias], { kernel_shape: w.shape.slice(2) as number[], ...attributes });

/** Small models that between them have every kind of layer, and parameters used in every way. */
export const testModels: readonly TestModel[] = [
  testModel("convolutions", 5, { x: { shape: [2, 7, 6] } }, (b, { x }, param) => {
    let h = b.tanh(
      convolution(b, x!, param("w1", [4, 2, 3, 3]), param("b1", [4]), { pads: [1, 1, 1, 1], strides: [2, 1] }),
    );
    h = b.tanh(convolution(b, h, param("w2", [6, 2, 2, 3]), null, { group: 2, dilations: [1, 2], pads: [0, 2, 1, 1] }));
    h = b.tanh(convolution(b, h, param("w3", [6, 1, 2, 2]), param("b3", [6]), { group: 6 }));
    return b.dense(b.reduceMean(h, [2, 3]), param("w", [6, 3]), param("b", [3]));
  }),
  testModel("few positions, wide convolution", 4, { x: { shape: [8, 3, 3] } }, (b, { x }, param) => {
    const h = b.tanh(
      convolution(b, x!, param("w1", [12, 8, 3, 3]), param("b1", [12]), { pads: [1, 1, 1, 1], strides: [2, 2] }),
    );
    return b.dense(b.flatten(h), param("w", [48, 3]));
  }),
  testModel("normalisations", 5, { x: { shape: [4, 3, 3] } }, (b, { x }, param) => {
    const affine = (name: string, size: number) => [param(`${name}.g`, [size]), param(`${name}.b`, [size])] as const;
    let h = convolution(b, x!, param("w1", [6, 4, 1, 1]), null);
    const [mean, variance] = [0.1, 1.3].map((value) => b.constant(new Float32Array(6).fill(value)));
    h = b.tanh(b.node("BatchNormalization", [h, ...affine("batch", 6), mean!, variance!]));
    h = b.tanh(b.node("GroupNormalization", [h, ...affine("group", 6)], { num_groups: 3 }));
    h = b.tanh(b.node("InstanceNormalization", [h, ...affine("instance", 6)]));
    const rows = b.reshape(h, [h.shape[0]!, 6, 9]);
    const normal = b.node("LayerNormalization", [rows, ...affine("layer", 9)]);
    const scaled = b.node("RMSNormalization", [normal, param("rms", [9])]);
    return b.dense(b.reduceMean(b.tanh(scaled), [1]), param("w", [9, 3]), param("b", [3]));
  }),
  testModel("attention", 3, { x: { shape: [4], labels: 9 } }, (b, { x }, param) => {
    const positions = b.constant([0, 1, 2, 3], { type: "int64" });
    const table = param("tokens", [9, 6]);
    const h = b.add(b.gather(table, x!), b.gather(param("positions", [7, 6]), positions));
    const normal = b.node("LayerNormalization", [h, param("g", [6]), param("s", [6])]);
    const [q, k, v] = ["q", "k", "v"].map((name) => b.dense(normal, param(`w${name}`, [6, 6]), param(`b${name}`, [6])));
    const heads = (value: Value): Value => b.transpose(b.reshape(value, [value.shape[0]!, 4, 2, 3]), [0, 2, 1, 3]);
    const weights = b.softmax(b.matMul(heads(q!), b.transposeLast(heads(k!))));
    const mixed = b.transpose(b.matMul(weights, heads(v!)), [0, 2, 1, 3]);
    const out = b.add(
      h,
      b.dense(b.reshape(mixed, [h.shape[0]!, 4, 6]), param("wo", [6, 6]), null, { transposeW: true }),
    );
    return b.dense(b.reduceMean(b.tanh(out), [1]), param("head", [6, 2]), param("bh", [2]));
  }),
  testModel("sequence first", 3, { x: { shape: [4, 5] } }, (b, { x }, param) => {
    const turned = b.transpose(x!, [1, 0, 2]); // [T, n, d]
    const h = b.tanh(b.add(b.dense(turned, param("w1", [5, 6]), param("b1", [6])), param("place", [4, 1, 6])));
    const scaled = b.mul(b.tanh(b.dense(h, param("w2", [6, 6]), param("b2", [6]))), param("g", [6]));
    return b.dense(b.reduceMean(scaled, [0]), param("w3", [6, 2]), param("b3", [2]));
  }),
  testModel("tied weights", 4, { x: { shape: [3], labels: 7 } }, (b, { x }, param) => {
    const table = param("table", [7, 5]);
    const shared = param("shared", [5, 5]);
    let h = b.gather(table, x!);
    for (let k = 0; k < 3; k++) h = b.tanh(b.dense(h, shared, param(`b${k}`, [5])));
    const bias = param("twice", [5]);
    h = b.tanh(b.add(b.mul(h, bias), bias));
    return b.reduceMean(b.dense(h, table, null, { transposeW: true }), [1]);
  }),
  testModel("recurrent", 4, { x: { shape: [3, 4] } }, (b, { x }, param) => {
    const [inner, outer, shift] = [param("U", [5, 5]), param("W", [4, 5]), param("s", [5])];
    const steps = [0, 1, 2].map((t) => b.squeeze(b.slice(x!, 1, t, t + 1), [1]));
    let state = b.tanh(b.dense(steps[0]!, outer, shift));
    for (const step of steps.slice(1)) state = b.tanh(b.add(b.dense(step, outer, shift), b.dense(state, inner)));
    return b.dense(state, param("head", [5, 2]));
  }),
  testModel("no layer rules", 4, { x: { shape: [3, 5] } }, (b, { x }, param) => {
    const left = param("left", [4, 3]);
    const token = b.expandTo(param("token", [1, 1, 5]), [x!.shape[0]!, 1, 5]);
    const mixed = b.concat([b.tanh(b.matMul(left, x!)), token], 1);
    const power = b.pow(b.sigmoid(mixed), b.exp(param("power", [5])));
    const filter = b.node("ConvTranspose", [power, param("up", [5, 2, 2]), null], { kernel_shape: [2] });
    return b.dense(b.flatten(filter), param("w", [12, 2]), b.mul(param("b", [2]), 2));
  }),
  testModel(
    "made for two examples",
    5,
    { x: { shape: [4] } },
    (b, { x }, param) => b.dense(b.tanh(b.dense(x!, param("w1", [4, 6]), param("b1", [6]))), param("w2", [6, 3])),
    { fixedBatch: 2 },
  ),
  testModel("one position", 6, { x: { shape: [5] } }, (b, { x }, param) => {
    param("idle", [3]);
    const h = b.tanh(b.dense(x!, param("w1", [5, 8]), param("b1", [8])));
    return b.dense(h, param("w2", [3, 8]), param("b2", [3]), { transposeW: true });
  }),
];

/** A model's inputs, as the functions under test take them. */
export const inputsOf = (model: TestModel): ModelInputs => model.inputs;
