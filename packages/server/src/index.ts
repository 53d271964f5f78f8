export { ServerError, StoreError, type ServerErrorCode, type StoreErrorCode } from "./errors.js";
export type {
  AppendableEvent,
  RunDeleted,
  RunSummary,
  SequencedEvent,
  StoredRunStarted,
  StoreEvent,
} from "./store/events.js";
export type { IntegrityReport } from "./store/integrity.js";
export { stringifyNonFinite, toWireNumber, type WireNumber } from "./store/non-finite-json.js";
export type { MetricsQuery, RunMetrics } from "./store/reader.js";
export { createRunId, isRunId } from "./store/run-id.js";
export type { Series } from "./store/series.js";
export { openStore, storeSink, type RunStore, type StoreOptions } from "./store/store.js";
