import type { RunRecord, RunSummary } from "../api/types.js";
import type { RecordsState } from "../data/run-records.js";

/** What every panel about a run's probes is given. */
export interface ProbeProps {
  readonly run: RunSummary;
  readonly records: readonly RunRecord[];
  /** The step whose probe is shown; infinite is the latest. */
  readonly step: number;
  readonly status: RecordsState["status"];
}
