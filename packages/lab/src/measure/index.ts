export { advise, type Advice, type AdviceInput, type Statement } from "../advice/index.js";
export { criticalValues, type CriticalValues, type Measured } from "../advice/index.js";
export { measure, type Measurement, type MeasureOptions } from "./measure.js";
export { meanSquaredGradients, type OptimizerRequest } from "./optimizer.js";
export { probeBatch, type ProbeBatch, type ProbeBatchOptions } from "./probe-batch.js";
export { readProbeData, type DataRequest, type ProbeData } from "./probe-data.js";
export type { EdgeExample, LayerRow, MeasureReport, SpectrumCurve } from "./report-data.js";
export { modelFromOnnx, type OnnxModel, type OnnxModelFile, type OnnxModelOptions } from "../models/model-from-onnx.js";
export { writeMeasurement } from "./write-report.js";
