export { BadInput } from "./errors.js";

export { parseTrainConfig, trainConfigSchema, type TrainConfig, type TrainConfigInput } from "./config/train-config.js";
export { loadTrainConfig, readConfigFile } from "./config/load-config.js";
export { describeIssues } from "./config/describe-issues.js";

export { openDataset } from "./data/open-dataset.js";
export { oneHot, takeExamples, type Dataset, type Split } from "./data/dataset.js";
export { IdxError, readIdx, type IdxArray, type IdxProblem } from "./data/idx.js";
export { mnist, type MnistOptions } from "./data/mnist.js";
export { arrayDataset, type ArrayDatasetOptions } from "./data/array-dataset.js";
export { cifar, imageFolder, type ImageDatasetOptions, type ImageFolderDatasetOptions } from "./data/image-dataset.js";
export { imageCacheFolder } from "./data/image-cache.js";
export { recogniseData } from "./data/recognise.js";
export { dataPresence, type DataPresence } from "./data/data-presence.js";
export { dataFolder } from "./data/location.js";
export { download, DownloadError, type DownloadOptions } from "./data/download.js";
export { getData, type GetDataOptions } from "./data/get-data.js";
export { dataSources, type DataSource, type SourceFile } from "./data/sources.js";
export { parseNpz } from "./data/npz.js";
export { fashionMnist } from "./data/fashion-mnist.js";
export { synthetic, syntheticSpectrum, type SyntheticOptions } from "./data/synthetic.js";
export { withLabelNoise } from "./data/label-noise.js";
export { NpyError, parseNpy, type NpyArray } from "./data/npy.js";

export type { MetricsRecorded, RecordMade, RunEvent, RunFinished, RunStarted, RunStatus } from "./run/events.js";
export type {
  AttributionRecordData,
  ExamplesRecordData,
  LayerRecord,
  NtkSpectrumRecordData,
  ResponsibleRecord,
  SpectrumRecordData,
} from "./run/records.js";
export { memorySink, type Sink } from "./run/sinks.js";
export { standingOf, verdict, type Standing, type Verdict } from "./advice/verdict.js";
export { adviceInputOf, adviceText, advise, type Advice, type AdviceInput, type Statement } from "./advice/index.js";
export { probeSteps } from "./probes/cadence.js";
export {
  minibatchStream,
  type MinibatchState,
  type MinibatchStream,
  type Sampling,
} from "./sampling/minibatch-stream.js";

export type { Model, Params, ParamSpec } from "./models/model.js";
export { mlp, type Activation, type MlpOptions } from "./models/mlp.js";
export { cnn, type CnnOptions } from "./models/cnn.js";
export { resnet, type Norm, type ResnetOptions } from "./models/resnet.js";
export { vit, vitSizes, type VitOptions } from "./models/vit.js";
export type { OptimizerFamily, Parameterization, ParameterizationOptions } from "./models/parameterization.js";
export { objective, outputHessianRoots, type Loss, type ObjectiveOptions } from "./objectives/objective.js";
export {
  denseOperator,
  openCurvature,
  openHessian,
  type CurvatureMatrix,
  type CurvatureOperator,
  type CurvatureOptions,
  type ProductPlan,
  type SymmetricOperator,
} from "./curvature/curvature-operator.js";
export { estimateOf, type Estimate } from "./curvature/estimate.js";
export {
  highDimFromQuadrature,
  spectralQuadrature,
  traceOfFunction,
  type SpectralKernelSettings,
  type SpectralQuadrature,
  type SpectralQuadratureOptions,
} from "./curvature/spectral-quadrature.js";
export { spectralDensity, type SpectralDensity, type SpectralDensityOptions } from "./curvature/spectral-density.js";
export { topEigenpairs, type TopEigenpairs, type TopEigenpairsOptions } from "./curvature/top-eigenpairs.js";
export { hutchinson, hutchPlusPlus, traceKernelEstimate, type TraceOptions } from "./curvature/trace.js";
export { sharpness, type Sharpness, type SharpnessOptions } from "./curvature/sharpness.js";
export {
  openNtk,
  type Ntk,
  type NtkEstimator,
  type NtkMeasureOptions,
  type NtkOptions,
  type NtkParts,
} from "./curvature/ntk/ntk.js";
export {
  jacobianTrace,
  openPerExampleNorms,
  perExampleGradientNorms,
  type NormOptions,
  type PerExampleNorms,
} from "./curvature/ntk/norms.js";
export { openPreconditionedDecay, type PreconditionedDecay } from "./curvature/preconditioned-decay.js";
export type { ModelInputs, Targets } from "./curvature/ntk/inputs.js";
export type { DifferentiableModel } from "./curvature/ntk/tapped-model.js";
export {
  attributeNoiseKernel,
  type AttributeOptions,
  type AttributeResult,
} from "./curvature/attribution/attribute.js";
export type { LayerShare, NoiseKernelAttribution, ResponsibleExample } from "./curvature/attribution/attribution.js";
export { optimizerDynamics, type OptimizerDynamics, type OptimizerSettings } from "./curvature/optimizer-dynamics.js";
export { lossCurvatureRoots } from "./objectives/loss-curvature.js";
export { lossGraph, type LossLike } from "./objectives/loss-graph.js";
export { estimateNoiseKernel, type NoiseKernelEstimateOptions } from "./curvature/noise-kernel.js";
export { openGradient, type Gradient, type GradientEstimator } from "./curvature/neighbours/gradient.js";
export {
  openBatchSharpness,
  type BatchSharpness,
  type BatchSharpnessEstimator,
  type BatchSharpnessOptions,
} from "./curvature/neighbours/batch-sharpness.js";
export {
  openGradientNoiseScale,
  type GradientNoiseScale,
  type GradientNoiseScaleEstimator,
  type GradientNoiseScaleOptions,
} from "./curvature/neighbours/gradient-noise-scale.js";
export {
  openOneStep,
  type OneStepChange,
  type OneStepEstimator,
  type OneStepInput,
} from "./curvature/neighbours/one-step.js";
export { cosine, distance } from "./curvature/neighbours/vectors.js";
export { openEvaluator, type Evaluation, type Evaluator } from "./curvature/evaluation.js";
export type { OpenProbe, Probe, ProbeContext, ProbeRecord, ProbeView, SgdSettings } from "./probes/probe.js";
export { defaultProbeNames, probeNames, type ProbeName } from "./probes/names.js";
export { probesOf } from "./probes/by-name.js";
export { lossProbe } from "./probes/loss.js";
export { gradientProbe } from "./probes/gradient.js";
export { distanceProbe } from "./probes/distance.js";
export { batchSharpnessProbe } from "./probes/batch-sharpness.js";
export { gradientNoiseScaleProbe } from "./probes/gradient-noise-scale.js";
export { oneStepProbe } from "./probes/one-step.js";
export { spectrumProbe } from "./probes/spectrum.js";
export { traceProbe } from "./probes/trace.js";
export { sharpnessProbe, type SharpnessProbeOptions } from "./probes/sharpness.js";
export { noiseKernelProbe, type NoiseKernelProbeOptions } from "./probes/noise-kernel.js";
export { defaultProbes, train, type TrainOptions, type TrainResult } from "./training/train.js";
export type { RunOptimizer } from "./training/optimizer.js";
export type { Outcome, Progress } from "./training/run-loop.js";
export { CheckpointError, loadCheckpoint, type Checkpoint } from "./checkpoint/checkpoint.js";
export { checkpointPath } from "./checkpoint/checkpoint-path.js";
export type { CheckpointOptions } from "./training/checkpoint-keeper.js";
export { decodeSafetensors, encodeSafetensors, type StoredTensor, type TensorFile } from "./checkpoint/safetensors.js";
export { parseSweepConfig, sweepConfigSchema, type SweepConfig, type SweepConfigInput } from "./sweep/sweep-config.js";
export { planSweep, type PlannedRun, type PlanOptions, type SweepAxis, type SweepPlan } from "./sweep/plan.js";
export { runSweep, sweepStatus, type SweepOptions, type SweepResult, type SweptRun } from "./sweep/run-sweep.js";
export { readSweep } from "./sweep/run-files.js";
export { groupRuns } from "./sweep/groups.js";
export type { SweepSink } from "./sweep/collector.js";
export type { SweepProgress } from "./sweep/progress.js";
export { localScheduler, type LocalOptions } from "./sweep/scheduler/local.js";
export type {
  Scheduler,
  Submission,
  SubmitOptions,
  SweepTask,
  TaskEvent,
  TaskState,
} from "./sweep/scheduler/scheduler.js";
export { trainTogether, type TogetherRun } from "./sweep/vectorised/train-together.js";
export { stackKey } from "./sweep/vectorised/stackable.js";
export { cancelSlurm, slurmScheduler, slurmState, type SlurmOptions } from "./sweep/scheduler/slurm.js";
export { edgeTest, type EdgeTestOptions, type EdgeTestResult } from "./edge-test/edge-test.js";
export { controlStudy, type ControlStudy, type ControlStudyOptions } from "./studies/control/control-study.js";
export { type StudySize, type Task } from "./studies/control/cells.js";
export {
  controlPlan,
  decisionSteps,
  initialState,
  type ControlAction,
  type ControlInput,
  type ControlPlan,
  type ControlReading,
  type ControlSettings,
  type ControlState,
} from "./control/controller.js";
export { decide, rewind, type Decided } from "./control/decide.js";
export { laws, type Law, type Wish } from "./control/laws.js";
export { replay } from "./control/replay.js";
