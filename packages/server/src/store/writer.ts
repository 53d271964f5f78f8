import type { MetricsRecorded, RecordMade, RunFinished } from "@sedge/lab";
import { StoreError } from "../errors.js";
import { asStoreError, type Database } from "./connection.js";
import {
  assertAppendable,
  type AppendableEvent,
  type AppendOptions,
  type RunDeleted,
  type StoredRunStarted,
  type StoreEvent,
} from "./events.js";
import { encodeMetricBlock } from "./metric-block.js";
import { stringifyNonFinite } from "./non-finite-json.js";
import { findRun, type RunKey } from "./run-lookup.js";
import { writeTransaction } from "./transaction.js";
import {
  acquireWriterLock,
  isWriterAlive,
  removeWriterLock,
  type WriterLiveness,
  type WriterLock,
} from "./writer-lock.js";

/** Milliseconds that an event may wait for company. The promise to users is 250. */
const flushInterval = 50;
/** Events that wait at most, which also bounds the size of a block. */
const flushCount = 2048;

interface OpenRun {
  readonly number: number;
  readonly metricIds: Map<string, number>;
  pending: MetricsRecorded[];
  /** Of senders whose metrics are pending. */
  readonly positions: Map<string, number>;
}

/** What a change of a run comes to: the event that tells of it, and what its caller gets. */
export interface RunChange<T> {
  readonly event: Exclude<StoreEvent, MetricsRecorded>;
  readonly result: T;
}

/** What a process that ends without closing its store (an uncaught error, `process.exit`) still has to write. */
const unclosed = new Set<RunWriter>();
function flushUnclosed(): void {
  for (const writer of unclosed) {
    try {
      writer.flush();
    } catch {
      // The process is ending; there is nobody left to tell.
    }
  }
}

/** The writing half of a store. See `RunStore` for what its methods promise. */
export class RunWriter {
  readonly #database: Database;
  readonly #folder: string;
  readonly #liveness: WriterLiveness;
  readonly #openRuns = new Map<string, OpenRun>();
  #lock: WriterLock | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pendingCount = 0;
  #lastFlush = -Infinity;
  #failed = false;

  readonly #statements;

  constructor(database: Database, folder: string, liveness: WriterLiveness) {
    this.#database = database;
    this.#folder = folder;
    this.#liveness = liveness;
    this.#statements = {
      advance: database.prepare("UPDATE store SET sequence = sequence + ? RETURNING sequence"),
      event: database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)"),
      metric: database.prepare("SELECT id FROM metrics WHERE run = ? AND key = ?"),
      newMetric: database.prepare("INSERT INTO metrics (run, key, points, last_step) VALUES (?, ?, 0, 0) RETURNING id"),
      latest: database.prepare("UPDATE metrics SET points = points + ?, last_step = ?, last_value = ? WHERE id = ?"),
      position: database.prepare("INSERT OR REPLACE INTO senders VALUES (?, ?, ?)"),
      progress: database.prepare("UPDATE runs SET step = ?, updated_at = ?, sequence = ? WHERE number = ?"),
      finish: database.prepare(
        "UPDATE runs SET status = ?, finished_at = ?, updated_at = ?, step = ?, message = ?, sequence = ?, writer = NULL WHERE number = ?",
      ),
      foreignWriters: database.prepare(
        "SELECT DISTINCT writer FROM runs WHERE status = 'running' AND writer IS NOT NULL AND writer IS NOT ?",
      ),
    };
    if (unclosed.size === 0) process.on("exit", flushUnclosed);
    unclosed.add(this);
  }

  append(event: Exclude<AppendableEvent, RecordMade>, options: AppendOptions = {}): void {
    assertAppendable(event);
    if (event.type === "run-started") this.#start(event, options);
    else if (event.type === "run-finished") this.#finish(event);
    else this.#record(event, options.position);
  }

  /** Whether this writer has the run open: started and not ended. */
  isOpen(runId: string): boolean {
    return this.#openRuns.has(runId);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pendingCount === 0) return;
    try {
      this.#transaction(() => this.#writePending());
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    this.#forgetPending();
  }

  /** Removes a run and all it recorded. */
  delete(given: string): string {
    this.flush();
    return this.#transaction(() => {
      const { number, id } = findRun(this.#database, given);
      const { status, writer } = this.#stateOf(number);
      if (status === "running" && this.#isAlive(writer)) {
        throw new StoreError("run-busy", `run ${id} is still being written. Stop its process before deleting it.`);
      }
      this.#database.prepare("DELETE FROM runs WHERE number = ?").run(number);
      const deleted: RunDeleted = { type: "run-deleted", runId: id, time: Date.now() };
      this.#writeEvent(null, deleted, 0);
      return id;
    });
  }

  /** Changes what is kept of a run besides its events, and tells of it, in one transaction. Any process may. */
  change<T>(given: string, work: (run: RunKey, database: Database) => RunChange<T>): T {
    this.flush();
    return this.#transaction(() => {
      const run = findRun(this.#database, given);
      const { event, result } = work(run, this.#database);
      const sequence = this.#writeEvent(run.number, event, "step" in event ? event.step : 0);
      this.#database.prepare("UPDATE runs SET sequence = ? WHERE number = ?").run(sequence, run.number);
      return result;
    });
  }

  /** Marks runs whose process died as interrupted, when they were last heard of. Returns their ids. */
  reap(): string[] {
    const writers = this.#statements.foreignWriters.all(this.#lock?.name ?? null) as { writer: string }[];
    const dead = writers.map(({ writer }) => writer).filter((writer) => !this.#liveness.isAlive(writer));
    if (dead.length === 0) return [];
    const ids = this.#transaction(() => dead.flatMap((writer) => this.#interruptRunsOf(writer)));
    for (const writer of dead) removeWriterLock(this.#folder, writer);
    return ids;
  }

  close(): void {
    try {
      for (const runId of [...this.#openRuns.keys()]) {
        this.#finish({
          type: "run-finished",
          runId,
          time: Date.now(),
          step: this.#lastStep(runId),
          status: "interrupted",
          message: "Its process closed the store before the run had ended.",
        });
      }
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#lock?.release();
      unclosed.delete(this);
      if (unclosed.size === 0) process.off("exit", flushUnclosed);
    }
  }

  #start(event: StoredRunStarted, { origin, reopen = false }: AppendOptions): void {
    this.flush();
    this.#lock ??= acquireWriterLock(this.#folder);
    const { name: writer } = this.#lock;
    const number = this.#transaction(() => {
      const row = this.#database.prepare("SELECT number, status, writer FROM runs WHERE id = ?").get(event.runId) as
        { number: number; status: string; writer: string | null } | undefined;
      if (row !== undefined) this.#assertCanResume(event.runId, row, reopen);
      const columns = [
        event.name,
        event.time,
        event.steps,
        stringifyNonFinite(event.config),
        stringifyNonFinite(event.model),
        writer,
      ] as const;
      let runNumber = row?.number;
      if (runNumber === undefined) {
        const insert = this.#database.prepare(
          "INSERT INTO runs (id, name, status, started_at, updated_at, step, steps, config, model, writer, sequence) " +
            "VALUES (?1, ?2, 'running', ?3, ?3, 0, ?4, ?5, ?6, ?7, 0) RETURNING number",
        );
        runNumber = (insert.get(event.runId, ...columns) as { number: number }).number;
      } else {
        const update = this.#database.prepare(
          "UPDATE runs SET name = ?2, status = 'running', updated_at = ?3, steps = ?4, config = ?5, model = ?6, " +
            "writer = ?7, finished_at = NULL, message = NULL WHERE number = ?1",
        );
        update.run(runNumber, ...columns);
      }
      if (origin !== undefined) {
        const keep = this.#database.prepare("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)");
        keep.run(runNumber, origin.source, stringifyNonFinite(origin.details));
      }
      const sequence = this.#writeEvent(runNumber, event, 0);
      this.#database.prepare("UPDATE runs SET sequence = ? WHERE number = ?").run(sequence, runNumber);
      return runNumber;
    });
    this.#openRuns.set(event.runId, { number, metricIds: new Map(), pending: [], positions: new Map() });
  }

  /** Only an interrupted or failed run goes on unasked: to add to one that came to its end would mix two runs. */
  #assertCanResume(id: string, { status, writer }: { status: string; writer: string | null }, reopen: boolean): void {
    if (status === "running" && this.#isAlive(writer)) {
      throw new StoreError("run-busy", `run ${id} is being written by another process, or twice by this one.`);
    }
    if (!reopen && (status === "finished" || status === "diverged")) {
      throw new StoreError("run-exists", `run ${id} exists already and has ended as ${status}. Use another id.`);
    }
  }

  #record(event: MetricsRecorded, position: AppendOptions["position"]): void {
    const run = this.#openRun(event);
    // After a failed flush nothing more is taken until what waits has been written.
    if (this.#failed) this.flush();
    run.pending.push(event);
    if (position !== undefined) run.positions.set(position.sender, position.value);
    this.#pendingCount++;
    const wait = this.#lastFlush + flushInterval - performance.now();
    if (wait <= 0 || this.#pendingCount >= flushCount) this.#flushQuietly();
    else this.#timer ??= setTimeout(() => this.#flushQuietly(), wait);
  }

  /** A failure surfaces at the next append, flush or close; what was to be written stays. */
  #flushQuietly(): void {
    try {
      this.flush();
    } catch {
      // Kept in #failed.
    }
  }

  #finish(event: RunFinished): void {
    const { number } = this.#openRun(event);
    this.#transaction(() => {
      this.#writePending();
      this.#writeFinish(number, event, event.time);
    });
    this.#forgetPending();
    this.#openRuns.delete(event.runId);
  }

  #transaction<T>(work: () => T): T {
    try {
      return writeTransaction(this.#database, work);
    } catch (error) {
      // Numbers that were given out in it are void.
      for (const run of this.#openRuns.values()) run.metricIds.clear();
      throw asStoreError(error, this.#folder);
    }
  }

  #openRun(event: AppendableEvent): OpenRun {
    const run = this.#openRuns.get(event.runId);
    if (run !== undefined) return run;
    throw new StoreError(
      "run-not-open",
      `append: ${event.type} of run ${event.runId}, which this store has not started or has finished. ` +
        "A run begins with run-started and ends with run-finished, in one process.",
    );
  }

  #writePending(): void {
    for (const run of this.#openRuns.values()) if (run.pending.length > 0) this.#writeBlock(run);
  }

  #writeBlock({ number, metricIds, pending, positions }: OpenRun): void {
    const latest = new Map<string, { points: number; step: number; value: number }>();
    let largestStep = 0;
    for (const { step, values } of pending) {
      largestStep = Math.max(largestStep, step);
      for (const key in values) {
        const entry = latest.get(key);
        if (entry === undefined) latest.set(key, { points: 1, step, value: values[key]! });
        else {
          entry.points++;
          entry.step = step;
          entry.value = values[key]!;
        }
      }
    }
    const { event, progress } = this.#statements;
    const sequence = this.#advance(pending.length);
    const block = encodeMetricBlock(pending, (key) => this.#metricId(number, metricIds, key));
    event.run(sequence, pending.length, number, "metrics", largestStep, block);
    for (const [key, { points, step, value }] of latest) {
      this.#statements.latest.run(points, step, value, this.#metricId(number, metricIds, key));
    }
    for (const [sender, value] of positions) this.#statements.position.run(number, sender, value);
    const last = pending.at(-1)!;
    progress.run(last.step, last.time, sequence, number);
  }

  #metricId(run: number, known: Map<string, number>, key: string): number {
    let id = known.get(key);
    if (id === undefined) {
      const { metric, newMetric } = this.#statements;
      id = ((metric.get(run, key) ?? newMetric.get(run, key)) as { id: number }).id;
      known.set(key, id);
    }
    return id;
  }

  #forgetPending(): void {
    for (const run of this.#openRuns.values()) {
      run.pending = [];
      run.positions.clear();
    }
    this.#pendingCount = 0;
    this.#failed = false;
    this.#lastFlush = performance.now();
  }

  #writeEvent(run: number | null, event: RunChange<unknown>["event"], step: number): number {
    const sequence = this.#advance(1);
    this.#statements.event.run(sequence, 1, run, event.type, step, stringifyNonFinite(event));
    return sequence;
  }

  #writeFinish(run: number, event: RunFinished, updatedAt: number): void {
    const sequence = this.#writeEvent(run, event, event.step);
    const { status, time, step, message } = event;
    this.#statements.finish.run(status, time, updatedAt, step, message ?? null, sequence, run);
  }

  #interruptRunsOf(writer: string): string[] {
    // Asked again inside the transaction: another process may have been first, or have resumed the run.
    const rows = this.#database
      .prepare("SELECT number, id, step, updated_at FROM runs WHERE status = 'running' AND writer = ?")
      .all(writer) as { number: number; id: string; step: number; updated_at: number }[];
    for (const { number, id: runId, step, updated_at: time } of rows) {
      const message = "Its process ended before the run did.";
      this.#writeFinish(number, { type: "run-finished", runId, time, step, status: "interrupted", message }, time);
    }
    return rows.map(({ id }) => id);
  }

  #advance(count: number): number {
    return (this.#statements.advance.get(count) as { sequence: number }).sequence;
  }

  #stateOf(run: number): { status: string; writer: string | null; step: number } {
    return this.#database.prepare("SELECT status, writer, step FROM runs WHERE number = ?").get(run) as {
      status: string;
      writer: string | null;
      step: number;
    };
  }

  #lastStep(runId: string): number {
    const { number, pending } = this.#openRuns.get(runId)!;
    return pending.at(-1)?.step ?? this.#stateOf(number).step;
  }

  #isAlive(writer: string | null): boolean {
    return writer !== null && (writer === this.#lock?.name || isWriterAlive(this.#folder, writer));
  }
}
