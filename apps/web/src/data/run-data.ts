import type { LiveEvent, RunSummary, SeriesData } from "../api/types.js";
import { Series } from "./series.js";

/** Everything the page knows of the runs: summaries and metric columns. Mutable; the page redraws once a frame. */
export class RunData {
  readonly #runs = new Map<string, RunSummary>();
  readonly #series = new Map<string, Map<string, Series>>();
  readonly #kept: ReadonlySet<string>;

  /** @param keptKeys  The metrics to keep columns of; others live on only as `latest`. */
  constructor(keptKeys: Iterable<string>) {
    this.#kept = new Set(keptKeys);
  }

  /** Oldest first, which is the order their colours are given in. */
  runs(): RunSummary[] {
    return [...this.#runs.values()].sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
  }

  series(runId: string, key: string): Series | undefined {
    return this.#series.get(runId)?.get(key);
  }

  setRun(run: RunSummary): void {
    const known = this.#runs.get(run.id);
    // A summary read before a later event was applied must not turn the clock back.
    if (known !== undefined && run.cursor < known.cursor) return;
    this.#runs.set(run.id, run);
  }

  /** Histories, by run and key. */
  merge(histories: ReadonlyMap<string, ReadonlyMap<string, SeriesData>>): void {
    for (const [runId, columns] of histories) {
      for (const [key, column] of columns) if (this.#kept.has(key)) this.#column(runId, key).merge(column);
    }
  }

  /** Keeps what was computed of a run under a key of its own, in place of what was there; null takes it away. */
  derive(runId: string, key: string, data: SeriesData | null): void {
    this.#series.get(runId)?.delete(key);
    if (data !== null) this.#column(runId, key).merge(data);
  }

  /** Applies one event of the stream. Twice is the same as once, except that a `metrics` event never ends a run. */
  apply(event: LiveEvent): void {
    if (event.type === "run") return this.setRun(event.run);
    if (event.type === "run-deleted") return this.#delete(event.runId);
    if (event.type === "hello" || event.type === "recorded") return;
    const { runId, time, step, values } = event.metrics;
    for (const [key, value] of Object.entries(values)) {
      if (this.#kept.has(key)) this.#column(runId, key).set(step, time, value);
    }
    const run = this.#runs.get(runId);
    if (run === undefined || step < run.step) return;
    this.#runs.set(runId, { ...run, step, latest: { ...run.latest, ...values } });
  }

  clear(): void {
    this.#runs.clear();
    this.#series.clear();
  }

  #delete(runId: string): void {
    this.#runs.delete(runId);
    this.#series.delete(runId);
  }

  #column(runId: string, key: string): Series {
    let columns = this.#series.get(runId);
    if (columns === undefined) this.#series.set(runId, (columns = new Map<string, Series>()));
    let column = columns.get(key);
    if (column === undefined) columns.set(key, (column = new Series()));
    return column;
  }
}
