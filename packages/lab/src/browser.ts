/** @sedge/lab/browser: what trains and measures without files, processes or Node; the playground is made of it. */
export { mlp, type Activation, type MlpOptions } from "./models/mlp.js";
export type { Model, Params, ParamSpec } from "./models/model.js";
export { objective, type Loss } from "./objectives/objective.js";
export { oneHot, takeExamples, type Dataset, type Split } from "./data/dataset.js";
export {
  minibatchStream,
  type MinibatchState,
  type MinibatchStream,
  type Sampling,
} from "./sampling/minibatch-stream.js";
export { openTrainer, type Advance, type Trainer, type TrainerOptions } from "./training/trainer.js";
export { openEvaluator, type Evaluation, type Evaluator } from "./curvature/evaluation.js";
export { openHessian, type CurvatureOperator } from "./curvature/curvature-operator.js";
export { sharpness, type Sharpness } from "./curvature/sharpness.js";
export { openNtk, type Ntk, type NtkEstimator } from "./curvature/ntk/ntk.js";
export { estimateNoiseKernel } from "./curvature/noise-kernel.js";
export { decodeSafetensors, encodeSafetensors, type StoredTensor, type TensorFile } from "./checkpoint/safetensors.js";
