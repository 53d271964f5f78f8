/** What the server sends: the shapes of `/api/v1`, once decoded (numbers are numbers, NaN and ±Infinity included). */

export type RunStatus = "running" | "finished" | "diverged" | "failed" | "interrupted";

/** Where a run stands against the two edges, as judged by the server from what was measured last. */
export interface Verdict {
  readonly state: "diverged" | "past-edge" | "at-edge" | "inside" | "well-inside" | "unknown";
  /** The edge nearer to being crossed. */
  readonly binding: "deterministic" | "stochastic" | null;
  /** One sentence for people. */
  readonly text: string;
}

/** The part of a run's config that the dashboard reads. A run that Sedge did not train may lack any of it. */
export interface RunConfig {
  readonly learningRate?: number;
  readonly batchSize?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly optimizer?: { readonly kind?: string; readonly nesterov?: boolean };
  readonly data?: { readonly examples?: number };
  readonly [key: string]: unknown;
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Updates made so far, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly config: RunConfig;
  readonly model: { readonly paramCount: number; readonly description: string };
  readonly message: string | null;
  /** In alphabetical order. */
  readonly tags: readonly string[];
  /** The newest value of every metric. */
  readonly latest: Readonly<Record<string, number>>;
  /** Sequence number of the run's newest event in the store. */
  readonly cursor: number;
  readonly verdict: Verdict | null;
}

/** One metric of one run, ascending in step. The three arrays have one length. */
export interface SeriesData {
  readonly steps: readonly number[];
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

export interface MetricsEvent {
  readonly runId: string;
  readonly time: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Something beyond metrics that a run recorded at a step. */
export interface RunRecord {
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** `spectrum/ntk`, `attribution`, `examples`, `control` … */
  readonly kind: string;
  /** As recorded; numbers that are not finite are strings, as everywhere on the wire. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A run has recorded something beyond metrics. */
export interface RecordedEvent {
  readonly runId: string;
  readonly step: number;
}

export type LiveEvent =
  /** Where the stream starts. `reset` where the place asked for does not exist: this is another store. */
  | { readonly type: "hello"; readonly cursor: number; readonly reset: boolean }
  | { readonly type: "run-deleted"; readonly runId: string }
  | { readonly type: "run"; readonly run: RunSummary }
  | { readonly type: "recorded"; readonly recorded: RecordedEvent }
  | { readonly type: "metrics"; readonly metrics: MetricsEvent };
