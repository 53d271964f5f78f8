/** The models in src/fixtures/pytorch with PyTorch's float64 values, and what Sedge makes of the same files. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Builder, graphOf } from "../builder/builder.js";
import { sizeOf, type Dim } from "../ir/dims.js";
import type { Graph, Value } from "../ir/graph.js";
import { tensor, type Tensor, type TypedArray } from "../ir/tensor.js";
import { importOnnx, type ImportedModel, type ImportOptions } from "../import/import-onnx.js";
import { compile } from "../runtime/session.js";

export interface FixtureArray {
  readonly type: "float32" | "float64" | "int64";
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface FixtureFile {
  readonly file: string;
  readonly exporter: "dynamo" | "torchscript";
  readonly opset: number;
  readonly output: "output" | "loss";
  readonly elementType: string;
  /** Which initializers hold each parameter. Absent for files that only have to be refused. */
  readonly params?: Readonly<Record<string, readonly { readonly name: string; readonly transposed?: boolean }[]>>;
}

export interface Fixture {
  readonly name: string;
  readonly inputs: Readonly<Record<string, FixtureArray>>;
  readonly files: readonly FixtureFile[];
  readonly loss: { readonly kind: "squared" | "cross-entropy"; readonly value: number; readonly targets: FixtureArray };
  readonly output: FixtureArray;
  readonly ntkTrace: number;
  /** J Jᵀ/n, [n·C, n·C] row-major, where it is small. */
  readonly ntk?: readonly number[];
  readonly params: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly gradient: readonly number[];
    readonly hessianProduct: readonly number[];
    readonly gaussNewtonProduct: readonly number[];
  }[];
}

const folder = new URL("../fixtures/pytorch/", import.meta.url);

export const fixturePath = (file: string): string => fileURLToPath(new URL(file, folder));

export const readFixtureFile = (file: string): Uint8Array => readFileSync(new URL(file, folder));

export const pytorchFixtures = (): Fixture[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Fixture);

/** Imports a fixture's file, external data and all. */
export function importFixture({ file, elementType }: FixtureFile, options: ImportOptions = {}): ImportedModel {
  const beside = file.includes("/") ? file.slice(0, file.lastIndexOf("/") + 1) : "";
  return importOnnx(readFixtureFile(file), {
    file,
    externalData: (location, offset, length) =>
      readFixtureFile(beside + location).subarray(offset, length === null ? undefined : offset + length),
    ...(elementType === "float16" && { float16: "float32" as const }),
    ...options,
  });
}

/** v[k] = sin(1 + 0.37 k), k counting over all parameters in the fixture's order. */
function vectors(fixture: Fixture): Map<string, Float64Array> {
  let k = 0;
  return new Map(
    fixture.params.map(({ name, gradient }) => [name, Float64Array.from(gradient, () => Math.sin(1 + 0.37 * k++))]),
  );
}

export interface Measured {
  readonly loss: number;
  readonly output: Float64Array | null;
  /** By PyTorch's parameter names, in PyTorch's layout. */
  readonly gradient: Map<string, Float64Array>;
  readonly hessianProduct: Map<string, Float64Array>;
  readonly gaussNewtonProduct: Map<string, Float64Array> | null;
}

/** Loss, gradient, Hessian and Gauss–Newton product of a file, in one session. */
export async function measure(
  fixture: Fixture,
  file: FixtureFile,
  model: ImportedModel,
  precision: "float32" | "float64",
): Promise<Measured> {
  const places = fixture.params.map(({ name, shape }) => ({
    name,
    shape,
    held: file.params![name]!.filter((place) => place.name in model.params),
  }));
  const wrt = places.flatMap(({ held }) => held.map(({ name }) => name));
  const session = await compile(derivatives(model.graph, fixture, file, wrt), { precision });
  try {
    const type = precision === "float64" || file.elementType === "float64" ? "float64" : "float32";
    const v = vectors(fixture);
    const feeds: Record<string, Tensor> = {};
    for (const [name, { data, shape, type: own }] of Object.entries(fixture.inputs)) {
      feeds[name] = tensor(data, shape, own === "int64" ? "int64" : type);
    }
    const { targets } = fixture.loss;
    feeds.targets = tensor(targets.data, targets.shape, targets.type === "int64" ? "int64" : type);
    for (const [name, { data, shape }] of Object.entries(model.params))
      feeds[name] = tensor(widened(data, type), shape, type);
    for (const { name, shape, held } of places) {
      for (const place of held) {
        const value = place.transposed ? transposed(v.get(name)!, shape) : v.get(name)!;
        feeds[`vector/${place.name}`] = tensor(widened(value, type), model.params[place.name]!.shape, type);
      }
    }
    const results = await session.run(feeds);
    const collect = (prefix: string): Map<string, Float64Array> =>
      new Map(
        places.map(({ name, shape, held }) => {
          const sum = new Float64Array(shape.reduce((product, dim) => product * dim, 1));
          for (const place of held) {
            const part = Float64Array.from(results[`${prefix}/${place.name}`]!.data as Float32Array);
            const turned = place.transposed ? transposed(part, shape.toReversed()) : part;
            turned.forEach((value, i) => (sum[i]! += value));
          }
          return [name, sum];
        }),
      );
    return {
      loss: Number(results.loss!.data[0]),
      output: results.output ? Float64Array.from(results.output.data as Float32Array) : null,
      gradient: collect("gradient"),
      hessianProduct: collect("hessian"),
      gaussNewtonProduct: file.output === "output" ? collect("gaussNewton") : null,
    };
  } finally {
    await session.dispose();
  }
}

const widened = (data: TypedArray, type: "float32" | "float64"): TypedArray =>
  type === "float64" ? Float64Array.from(data as Float32Array) : Float32Array.from(data as Float32Array);

function transposed(matrix: Float64Array, [rows, columns]: readonly number[]): Float64Array {
  return Float64Array.from(matrix, (_, at) => matrix[(at % rows!) * columns! + Math.floor(at / rows!)]!);
}

/** The model with its loss attached, and every derivative that the fixture states. */
function derivatives(model: Graph, fixture: Fixture, file: FixtureFile, wrt: readonly string[]): Graph {
  const b = new Builder(model);
  const params = wrt.map((name) => model.inputs[name]!);
  const vector = params.map((param, i) => b.input(`vector/${wrt[i]!}`, param.shape, param.type));
  const outputs: Record<string, Value> = {};
  const loss = file.output === "loss" ? model.outputs.loss! : attachLoss(b, model.outputs.output!, fixture);
  const add = (prefix: string, values: readonly Value[]): void =>
    values.forEach((value, i) => (outputs[`${prefix}/${wrt[i]!}`] = value));
  add("gradient", b.gradient(loss, params));
  add("hessian", b.hessianVectorProduct(loss, params, vector));
  if (file.output === "output") {
    const output = model.outputs.output!;
    outputs.output = output;
    add("gaussNewton", b.gaussNewtonVectorProduct({ loss, output, wrt: params, vectors: vector }));
  }
  return graphOf({ ...outputs, loss }, fixture.name, b.declaredInputs());
}

/** The loss of the fixture: for token models the mean over all tokens, which are rows of one matrix of logits. */
function attachLoss(b: Builder, output: Value, { loss }: Fixture): Value {
  if (loss.kind === "squared") return b.squaredLoss(output, b.input("targets", output.shape, output.type));
  const classes = output.shape.at(-1)!;
  const leading: readonly Dim[] = output.shape.slice(0, -1);
  const targets = b.reshape(b.input("targets", leading, "int64"), [sizeOf(leading)]);
  return b.crossEntropy(b.reshape(output, [sizeOf(leading), classes]), targets);
}
