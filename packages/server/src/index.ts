export { createApp, type AppOptions } from "./api/app.js";
export { compareRuns, type Comparison } from "./compare/compare-runs.js";
export { createToken } from "./api/token.js";
export { ServerError, StoreError, type ServerErrorCode, type StoreErrorCode } from "./errors.js";
export { exportFormats, exportRun, type ExportFormat } from "./export/export-run.js";
export {
  ingestTensorBoard,
  type TensorBoardOptions,
  type TensorBoardSummary,
} from "./ingest/tensorboard/ingest-tensorboard.js";
export { startServer, type RunningServer, type ServerOptions } from "./server.js";
export type {
  AppendableEvent,
  RunDeleted,
  RunTagged,
  RunSummary,
  SequencedEvent,
  StoredRunStarted,
  StoreEvent,
} from "./store/events.js";
export type { AppendOptions, RecordKind, RunChanged, RunOrigin, RunRecorded } from "./store/events.js";
export type { Experiment } from "./store/experiments.js";
export type {
  AdviceRecord,
  ArtifactInfo,
  ArtifactInput,
  ProbeRecord,
  RecordsQuery,
  RunRecords,
  SpectrumRecord,
} from "./store/records.js";
export type { RunUpdate } from "./store/run-changes.js";
export { makeFolders } from "./store/make-folders.js";
export type { IntegrityReport } from "./store/integrity.js";
export type { WireNumber } from "./store/non-finite-json.js";
export type { MetricsQuery, RunMetrics } from "./store/reader.js";
export { createRunId, isRunId } from "./store/run-id.js";
export type { Series } from "./store/series.js";
export { openStore, storeSink, type RunStore, type StoreOptions } from "./store/store.js";
