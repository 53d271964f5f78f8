/** Dense curvature in float64, column by column: the truth that operators and estimators are held to. */
import { compile, gaussNewtonVectorProduct, hessianVectorProduct, tensor } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import type { Split } from "../data/dataset.js";
import { cnn } from "../models/cnn.js";
import { sizeOf, type Model, type Params } from "../models/model.js";
import { vit } from "../models/vit.js";
import { objective, type Loss } from "../objectives/objective.js";
import type { CurvatureMatrix } from "./curvature-operator.js";

export interface CurvatureCase {
  readonly name: string;
  readonly model: Model;
  readonly loss: Loss;
  readonly params: Params;
  readonly split: Split;
}

/** Small networks with convolutions; with attention and layer normalisation. Some hundred parameters each. */
export function curvatureCases(): CurvatureCase[] {
  const inputShape = [6, 6, 2];
  const models: (readonly [string, Model, Loss])[] = [
    ["convolutions, squared loss", cnn({ inputShape, outputs: 3, widths: [4, 5] }), "squared"],
    [
      "convolutions, cross-entropy",
      cnn({ inputShape, outputs: 3, widths: [4, 5], activation: "tanh" }),
      "cross-entropy",
    ],
    [
      "attention and layer normalisation, cross-entropy",
      vit({ inputShape, outputs: 3, patch: 3, width: 6, depth: 1, heads: 2 }),
      "cross-entropy",
    ],
  ];
  return models.map(([name, model, loss]) => {
    const random = createRandom(name);
    const examples = 12;
    const targets = new Float32Array(examples * 3);
    for (let i = 0; i < examples; i++) targets[3 * i + random.integer(3)] = 1;
    const inputs = Float32Array.from(random.normals(examples * sizeOf(inputShape)));
    return { name, model, loss, params: model.initialise(random), split: { examples, inputs, targets } };
  });
}

/** The matrix [P, P] in float64, row-major: products with all unit vectors. */
export async function denseCurvature(
  { model, loss, params, split }: CurvatureCase,
  matrix: CurvatureMatrix,
): Promise<{ readonly dense: Float64Array; readonly size: number }> {
  const graph = objective(model, loss);
  const options = { of: "loss", wrt: model.params.map(({ name }) => name), vectors: "flat" } as const;
  const product =
    matrix === "hessian"
      ? hessianVectorProduct(graph, options)
      : gaussNewtonVectorProduct(graph, { ...options, output: "output" });
  const session = await compile(product, { precision: "float64" });
  const double = (values: Float32Array, shape: readonly number[]) => tensor(Float64Array.from(values), shape);
  const feeds = {
    x: double(split.inputs, [split.examples, ...model.inputShape]),
    y: double(split.targets, [split.examples, model.outputs]),
    ...Object.fromEntries(model.params.map(({ name, shape }) => [name, double(params[name]!, shape)])),
  };
  const size = model.paramCount;
  const dense = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const vector = new Float64Array(size);
    vector[i] = 1;
    const result = await session.run({ ...feeds, vector }, { outputs: ["product"] });
    dense.set(result["product"]!.data as Float64Array, i * size);
  }
  await session.dispose();
  return { dense, size };
}
