import type { MetricsRecorded, RecordMade, RunFinished, RunStarted, RunStatus } from "@sedge/lab";
import { StoreError } from "../errors.js";
import { isRunId } from "./run-id.js";

/** As the trainer emits it, except that a run from elsewhere may bring a config of any shape. */
export type StoredRunStarted = Omit<RunStarted, "config"> & { readonly config: object };

/** A run has been removed with everything it recorded. */
export interface RunDeleted {
  readonly type: "run-deleted";
  readonly runId: string;
  readonly time: number;
}

/** A run's tags have been changed; these are all it has now. */
export interface RunTagged {
  readonly type: "run-tagged";
  readonly runId: string;
  readonly time: number;
  readonly tags: readonly string[];
}

/** A run's name or settings have been changed. */
export interface RunChanged {
  readonly type: "run-changed";
  readonly runId: string;
  readonly time: number;
}

/** Something beyond metrics has been recorded: `what` says in which lists of the run it is. */
export interface RunRecorded {
  readonly type: "recorded";
  readonly runId: string;
  readonly time: number;
  readonly step: number;
  readonly what: readonly RecordKind[];
  /** The kinds of the probes, spectra and advice among it, each once. */
  readonly kinds?: readonly string[];
}
export type RecordKind = "probe" | "spectrum" | "advice" | "artifact";

/** Where the run of a trainer that does not write the store itself comes from. */
export interface RunOrigin {
  readonly source: "http" | "mlflow" | "tensorboard";
  /** Plain data, as the source needs it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What is stored together with an event, all or nothing. */
export interface AppendOptions {
  /** With `run-started`: where the run comes from. A run that goes on keeps the origin it has unless it is given anew. */
  readonly origin?: RunOrigin | undefined;
  /** With `run-started`: a run that has finished goes on as well. For trainers that say so, as MLflow's do. */
  readonly reopen?: boolean | undefined;
  /**
   * With `metrics`: how far their sender has come. What is stored says so for ever, see `RunStore.positions`, so that a sender
   * that sends again what it had no answer to doubles nothing.
   */
  readonly position?: { readonly sender: string; readonly value: number } | undefined;
}

/** What may be appended. Every `RunEvent` of the trainer is one. */
export type AppendableEvent = StoredRunStarted | MetricsRecorded | RecordMade | RunFinished;
/** What comes back. */
export type StoreEvent = Exclude<AppendableEvent, RecordMade> | RunDeleted | RunTagged | RunChanged | RunRecorded;

/** An event and its place in the one sequence that all runs of a store share. */
export interface SequencedEvent {
  readonly sequence: number;
  readonly event: StoreEvent;
}

/** A run as it stands: what a table of runs shows. */
export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** For an interrupted run, when it was last heard of. */
  readonly finishedAt: number | null;
  /** Of the last event. */
  readonly step: number;
  /** Optimiser updates planned. */
  readonly steps: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly model: { readonly paramCount: number; readonly description: string };
  readonly message: string | null;
  /** In alphabetical order. */
  readonly tags: readonly string[];
  /** The last value of each metric. */
  readonly latest: Readonly<Record<string, number>>;
  /** Sequence number of the run's last event. */
  readonly cursor: number;
}

const longestKey = 250;
const longestTag = 64;
const mostTags = 64;

/**
 * The tags as they are kept: each once, in order.
 *
 * @throws StoreError `bad-event` naming the tag at fault.
 */
export function cleanTags(tags: readonly string[]): string[] {
  const bad = (what: string) => new StoreError("bad-event", `setTags: tags: ${what}`);
  // A comma separates tags wherever several are written in one line.
  const good = /^[^\s,\p{Cc}]+(?: [^\s,\p{Cc}]+)*$/u;
  for (const tag of tags) {
    if (tag.length > longestTag || !good.test(tag)) {
      throw bad(`expected 1 to ${longestTag} characters, without commas or outer spaces, got ${JSON.stringify(tag)}`);
    }
  }
  const distinct = [...new Set(tags)].sort();
  if (distinct.length > mostTags) throw bad(`expected at most ${mostTags} of them, got ${distinct.length}`);
  return distinct;
}

function bad(event: { type: string; runId: string }, what: string): StoreError {
  return new StoreError("bad-event", `append: ${event.type} of run ${JSON.stringify(event.runId)}: ${what}`);
}

/**
 * Refuses what would be stored wrongly. Types are trusted for shape; this looks at what they cannot say.
 *
 * @throws StoreError `bad-event` naming the field, the value and what is allowed.
 */
export function assertAppendable(event: Exclude<AppendableEvent, RecordMade>): void {
  if (typeof event.runId !== "string" || !isRunId(event.runId)) {
    throw bad(event, "runId: expected 1 to 64 letters, digits, _ or -");
  }
  if (!Number.isFinite(event.time)) throw bad(event, `time: expected milliseconds since the epoch, got ${event.time}`);
  if (event.type === "run-started") {
    if (!Number.isSafeInteger(event.steps) || event.steps < 0) {
      throw bad(event, `steps: expected an integer from 0 up, got ${event.steps}`);
    }
    return;
  }
  if (!Number.isSafeInteger(event.step) || event.step < 0) {
    throw bad(event, `step: expected an integer from 0 up, got ${event.step}`);
  }
  if (event.type === "run-finished") return;
  for (const key in event.values) {
    if (key.length === 0 || key.length > longestKey) {
      throw bad(event, `values: expected keys of 1 to ${longestKey} characters, got one of ${key.length}`);
    }
    if (key === "__proto__") throw bad(event, "values: __proto__ cannot be the key of a metric");
    const value: unknown = event.values[key];
    if (typeof value !== "number") throw bad(event, `values: expected a number for ${key}, got ${typeof value}`);
  }
}
