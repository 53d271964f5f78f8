export { BadInput } from "./errors.js";

export { parseTrainConfig, trainConfigSchema, type TrainConfig, type TrainConfigInput } from "./config/train-config.js";
export { loadTrainConfig, readConfigFile } from "./config/load-config.js";
export { describeIssues } from "./config/describe-issues.js";

export { oneHot, takeExamples, type Dataset, type Split } from "./data/dataset.js";
export { IdxError, readIdx, type IdxArray, type IdxProblem } from "./data/idx.js";
export { mnist, type MnistOptions } from "./data/mnist.js";
export { NpyError, parseNpy, type NpyArray } from "./data/npy.js";

export type { MetricsRecorded, RunEvent, RunFinished, RunStarted, RunStatus } from "./run/events.js";
export { memorySink, type Sink } from "./run/sinks.js";
export { standingOf, verdict, type Standing, type Verdict } from "./advice/verdict.js";
export { probeSteps } from "./probes/cadence.js";
export {
  minibatchStream,
  type MinibatchState,
  type MinibatchStream,
  type Sampling,
} from "./sampling/minibatch-stream.js";
