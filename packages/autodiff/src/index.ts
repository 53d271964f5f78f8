/** @sedge/autodiff: build, differentiate and run ONNX graphs. */

// Data
export { numbersOf, scalarOf, tensor, type DataType, type Tensor, type TypedArray } from "./ir/tensor.js";
export type { Dim, Shape } from "./ir/dims.js";
export type { Body, Graph, Node, Typed, Value } from "./ir/graph.js";
export { GraphError, OnnxFileError, ShapeError } from "./ir/errors.js";

// Building
export { Builder, graph, graphOf } from "./builder/builder.js";
export type { ConstantOptions, Operand } from "./builder/core.js";
export type { GemmOptions, ReduceOptions } from "./builder/linear.js";
export type { LoopParts, LoopResult, LoopStep } from "./builder/loop.js";

// Differentiating
export {
  dependsOn,
  gaussNewtonVectorProduct,
  hessianVectorProduct,
  jvp,
  vjp,
  type DerivativeOptions,
  type GaussNewtonOptions,
  type ProductOptions,
} from "./transforms/graphs.js";
export type { GaussNewtonParts } from "./transforms/curvature.js";
export { convolutionWindows, type ConvolutionUse, type ConvolutionWindows } from "./transforms/convolution-windows.js";
export { exampleAxis, type ExampleAxis } from "./transforms/example-axis.js";
export { parameterUses, type ParameterUse, type ParameterUsesOptions } from "./transforms/parameter-uses.js";
export { taps, type Taps, type TapsOptions, type TapUse } from "./transforms/taps.js";
export { section, type SectionOptions } from "./transforms/section.js";
export { stages, type Stages, type StagesOptions } from "./transforms/stages.js";

// Training
export {
  trainingLoop,
  updateState,
  type BatchPreparation,
  type TrainingLoopOptions,
} from "./transforms/training-loop.js";
export {
  adam,
  rmsprop,
  sgd,
  type AdamOptions,
  type RmsPropOptions,
  type SgdOptions,
  type UpdateInputs,
  type UpdateRule,
} from "./transforms/update-rules.js";

// Files
export { importOnnx, type ImportedModel, type ImportOptions } from "./import/import-onnx.js";
export type { ExternalData } from "./import/tensors.js";
export type { Tie } from "./import/parameters.js";
export { exportOnnx, type ExportOptions } from "./onnx/encode.js";
export { exportOnnxWithData, type DataExportOptions, type ModelWithData } from "./onnx/external.js";
export { knownOps } from "./ops/registry.js";

// Running
export {
  compile,
  openSessions,
  type CompileOptions,
  type InputData,
  type RunOptions,
  type Session,
  type Signature,
} from "./runtime/session.js";
export { engineFiles, type Device } from "./runtime/engine.js";
