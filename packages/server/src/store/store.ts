import { resolve } from "node:path";
import type { Sink } from "@sedge/lab";
import { StoreError } from "../errors.js";
import { openDatabase } from "./connection.js";
import type { AppendableEvent, AppendOptions, RunOrigin, RunSummary, SequencedEvent } from "./events.js";
import { checkIntegrity, type IntegrityReport } from "./integrity.js";
import { RunReader, type MetricsQuery, type RunMetrics } from "./reader.js";
import {
  readAdvice,
  readArtifact,
  readArtifacts,
  readProbes,
  readSpectra,
  recordsOf,
  writeRecords,
  type AdviceRecord,
  type ArtifactInfo,
  type ProbeRecord,
  type RecordsQuery,
  type RunRecords,
  type SpectrumRecord,
} from "./records.js";
import { ExperimentTable } from "./experiments.js";
import { setTags, updateRun, type RunUpdate } from "./run-changes.js";
import { WriterLiveness } from "./writer-lock.js";
import { RunWriter } from "./writer.js";

export interface StoreOptions {
  /** Look and change nothing: works in a folder that cannot be written. Default false. */
  readonly readOnly?: boolean;
}

/**
 * The runs of a folder. Any number of processes may have it open, each run being written by one of them.
 *
 * Every method throws StoreError, whose `code` says what is wrong and whose message says what to do.
 */
export interface RunStore {
  readonly folder: string;
  readonly readOnly: boolean;
  /** Random, made with the store: tells it from a later one in the same place. */
  readonly identity: string;

  /**
   * Takes an event: `run-started`, `record` and `run-finished` are stored when this returns, metrics within 250 ms,
   * together with others. They wait on a timer, so before blocking the event loop for longer call `flush`.
   *
   * A run is open from its start to its end, and only in the store that started it. An interrupted or failed run may be
   * started again, under the same id, and goes on. Where an earlier metrics event could not be stored (a full disk), this
   * throws before it takes another; what waits is kept and tried again.
   */
  append(event: AppendableEvent, options?: AppendOptions): void;
  /** Whether this store, and no other process, has the run open: started and not ended. */
  isOpen(runId: string): boolean;
  /** Stores what waits. Afterwards no death of the process can lose it. */
  flush(): void;
  /** Flushes, marks runs that are still open as interrupted, and lets go of the files. */
  close(): void;

  /** Number of the last event of the store: the place to stream on from. */
  cursor(): number;
  /** All runs, newest first. */
  runs(): RunSummary[];
  /** @param given  An id, the beginning of one, or a name; each only where a single run fits. */
  run(given: string): RunSummary;
  /** What a run has measured, each metric in order of step. */
  metrics(given: string, query?: MetricsQuery): RunMetrics;
  /** Where a run comes from that its trainer does not write here itself; null for others. */
  origin(given: string): RunOrigin | null;
  /** How far each sender of a run's metrics has come: see `AppendOptions`. */
  positions(given: string): ReadonlyMap<string, number>;

  /** Records what is more than numbers by step; stored when this returns. Any process may, whoever writes the run. */
  record(given: string, records: RunRecords): void;
  /** In order of step. */
  probes(given: string, query?: RecordsQuery): ProbeRecord[];
  spectra(given: string, query?: RecordsQuery): SpectrumRecord[];
  advice(given: string, query?: RecordsQuery): AdviceRecord[];
  /** In order of name. */
  artifacts(given: string): ArtifactInfo[];
  artifact(given: string, name: string): { readonly mediaType: string; readonly content: Uint8Array };

  /** Events numbered above `cursor`, oldest first, of all runs and processes, at most `limit` of them. */
  eventsAfter(cursor: number, limit?: number): SequencedEvent[];

  /**
   * Marks runs whose process died as interrupted, a quarter of a second later at most; returns their ids. Also
   * happens on opening and on reading runs.
   */
  markInterrupted(): string[];
  /** Gives a run these tags in place of those it has, and returns them in order, each once. */
  setTags(given: string, tags: readonly string[]): readonly string[];
  /** Changes a run's name, or adds settings that became known after its start. */
  update(given: string, update: RunUpdate): void;
  /** Groups of runs, as MLflow has them. */
  readonly experiments: ExperimentTable;
  /** Removes a run that nobody is writing, and returns its full id. */
  deleteRun(given: string): string;
  /** Reads everything and reports what does not fit together. */
  checkIntegrity(): IntegrityReport;
}

/**
 * Opens the store in a folder, `.sedge` by convention; makes both unless `readOnly`.
 *
 * @throws StoreError `folder-unusable`, `no-store` (`readOnly` only), `not-a-store`, `store-corrupt`, `schema-too-new`.
 */
export function openStore(folder: string, { readOnly = false }: StoreOptions = {}): RunStore {
  return new SqliteRunStore(resolve(folder), readOnly);
}

/** A sink that writes a trainer's events to the store. The store stays open: it belongs to whoever opened it. */
export function storeSink(store: RunStore): Sink {
  return { write: (event) => store.append(event), close: () => store.flush() };
}

class SqliteRunStore implements RunStore {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly identity: string;
  readonly #database;
  readonly #reader: RunReader;
  readonly #writer: RunWriter | null;
  readonly experiments: ExperimentTable;
  #closed = false;

  constructor(folder: string, readOnly: boolean) {
    this.folder = folder;
    this.readOnly = readOnly;
    this.#database = openDatabase(folder, readOnly);
    const liveness = new WriterLiveness(folder);
    this.#reader = new RunReader(this.#database, folder, liveness);
    this.#writer = readOnly ? null : new RunWriter(this.#database, folder, liveness);
    this.identity = this.#reader.identity();
    this.experiments = new ExperimentTable(this.#database, folder);
    this.#tryMarkInterrupted();
  }

  append(event: AppendableEvent, options: AppendOptions = {}): void {
    const writer = this.#writing("append");
    if (event.type === "record") writeRecords(writer, event.runId, recordsOf(event));
    else writer.append(event, options);
  }

  isOpen(runId: string): boolean {
    return this.#writer?.isOpen(runId) ?? false;
  }

  flush(): void {
    this.#assertOpen("flush");
    this.#writer?.flush();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#writer?.close();
    } finally {
      this.#database.close();
    }
  }

  cursor(): number {
    return this.#reading("cursor").cursor();
  }

  runs(): RunSummary[] {
    const reader = this.#reading("runs");
    this.#tryMarkInterrupted();
    return reader.runs();
  }

  run(given: string): RunSummary {
    const reader = this.#reading("run");
    this.#tryMarkInterrupted();
    return reader.run(given);
  }

  metrics(given: string, query: MetricsQuery = {}): RunMetrics {
    return this.#reading("metrics").metrics(given, query);
  }

  eventsAfter(cursor: number, limit = 1000): SequencedEvent[] {
    return this.#reading("eventsAfter").eventsAfter(cursor, limit);
  }

  markInterrupted(): string[] {
    return this.#writing("markInterrupted").reap();
  }

  setTags(given: string, tags: readonly string[]): readonly string[] {
    return setTags(this.#writing("setTags"), given, tags);
  }

  update(given: string, update: RunUpdate): void {
    updateRun(this.#writing("update"), given, update);
  }

  origin(given: string): RunOrigin | null {
    return this.#reading("origin").origin(given);
  }

  positions(given: string): ReadonlyMap<string, number> {
    return this.#reading("positions").positions(given);
  }

  record(given: string, records: RunRecords): void {
    writeRecords(this.#writing("record"), given, records);
  }

  probes(given: string, query: RecordsQuery = {}): ProbeRecord[] {
    return this.#reading("probes").read((database) => readProbes(database, given, query));
  }

  spectra(given: string, query: RecordsQuery = {}): SpectrumRecord[] {
    return this.#reading("spectra").read((database) => readSpectra(database, given, query));
  }

  advice(given: string, query: RecordsQuery = {}): AdviceRecord[] {
    return this.#reading("advice").read((database) => readAdvice(database, given, query));
  }

  artifacts(given: string): ArtifactInfo[] {
    return this.#reading("artifacts").read((database) => readArtifacts(database, given));
  }

  artifact(given: string, name: string): { mediaType: string; content: Uint8Array } {
    return this.#reading("artifact").read((database) => readArtifact(database, given, name));
  }

  deleteRun(given: string): string {
    return this.#writing("deleteRun").delete(given);
  }

  checkIntegrity(): IntegrityReport {
    this.#assertOpen("checkIntegrity");
    this.#writer?.flush();
    return checkIntegrity(this.#database, this.folder);
  }

  /** Reading must not fail for want of writing: the reader derives the same status by itself. */
  #tryMarkInterrupted(): void {
    try {
      this.#writer?.reap();
    } catch {
      // Derived instead.
    }
  }

  /** A store sees its own events at once: what waits is written before anything is read. */
  #reading(method: string): RunReader {
    this.#assertOpen(method);
    this.#writer?.flush();
    return this.#reader;
  }

  #writing(method: string): RunWriter {
    this.#assertOpen(method);
    if (this.#writer !== null) return this.#writer;
    throw new StoreError("read-only", `${method}: the run store ${this.folder} was opened for reading only.`);
  }

  #assertOpen(method: string): void {
    if (this.#closed) throw new StoreError("store-closed", `${method}: the run store ${this.folder} has been closed.`);
  }
}
