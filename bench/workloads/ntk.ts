import { tensor } from "@sedge/autodiff";
import { openNtk, openPerExampleNorms, type DifferentiableModel, type NtkEstimator } from "@sedge/lab";
import { mlpGraph, mlpProblem } from "../data.js";
import { cnn, images, type ImageModel } from "../images.js";
import type { Workload } from "../workload.js";

const threads = 2;

function mlp(): { model: DifferentiableModel; params: Record<string, Float32Array>; x: Float32Array; y: Float32Array } {
  const { x, y, params } = mlpProblem();
  return { model: modelOf(mlpGraph(), params), params, x, y };
}

function modelOf(graph: ImageModel["graph"], params: Readonly<Record<string, Float32Array>>): DifferentiableModel {
  const specs = Object.keys(params).map((name) => ({ name, shape: graph.inputs[name]!.shape.map(Number) }));
  return { graph: { ...graph, outputs: { output: graph.outputs["output"]! } }, params: specs, outputs: 10 };
}

/** ‖∇ℓ_i‖² of 512 examples of the MLP, squared loss; their mean. */
export const gradientNormsMlp: Workload = {
  async prepare() {
    const { model, params, x, y } = mlp();
    const norms = await openPerExampleNorms(model, { threads, loss: "squared" });
    const [inputs, targets] = [x.subarray(0, 512 * 784), y.subarray(0, 512 * 10)];
    return {
      per: 1,
      run: async () => mean(await norms.gradient(params, inputs, targets)),
      dispose: () => norms.dispose(),
    };
  },
};

/** ‖∇ℓ_i‖² of 128 images of the CNN, cross-entropy; their mean. */
export const gradientNormsConv: Workload = {
  async prepare() {
    const { graph, params } = cnn();
    const { x, y } = images();
    const norms = await openPerExampleNorms(modelOf(graph, params), { threads, loss: "cross-entropy" });
    const inputs = { x: tensor(x.subarray(0, 128 * 3072), [128, 3, 32, 32]) };
    const targets = new Float32Array(128 * 10);
    for (let i = 0; i < 128; i++) targets[i * 10 + Number(y[i])] = 1;
    return {
      per: 1,
      run: async () => mean(await norms.gradient(params, inputs, targets)),
      dispose: () => norms.dispose(),
    };
  },
};

/** The NTK of 256 examples of the MLP; the norm of its first row, times n. */
export const ntkMlp: Workload = {
  async prepare() {
    const { model, params, x } = mlp();
    const inputs = x.subarray(0, 256 * 784);
    return ntkOf(await openNtk(model, { threads }), (estimator, into) => estimator.measure(params, inputs, { into }));
  },
};

/** The NTK of 64 images of the CNN. */
export const ntkConv: Workload = {
  async prepare() {
    const { graph, params } = cnn();
    const inputs = { x: tensor(images().x.subarray(0, 64 * 3072), [64, 3, 32, 32]) };
    return ntkOf(await openNtk(modelOf(graph, params), { threads }), (estimator, into) =>
      estimator.measure(params, inputs, { into }),
    );
  },
};

function ntkOf(
  estimator: NtkEstimator,
  measure: (estimator: NtkEstimator, into: Float64Array | undefined) => ReturnType<NtkEstimator["measure"]>,
) {
  let last: Float64Array | undefined;
  return {
    per: 1,
    async run() {
      const { matrix, examples, outputs } = await measure(estimator, last);
      last = matrix;
      return examples * Math.hypot(...matrix.subarray(0, examples * outputs));
    },
    dispose: () => estimator.dispose(),
  };
}

const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;
