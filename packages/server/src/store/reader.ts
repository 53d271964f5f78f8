import type { RunStatus } from "@sedge/lab";
import { asStoreError, type Database } from "./connection.js";
import { downsample } from "./downsample.js";
import type { RunOrigin, RunSummary, SequencedEvent, StoreEvent } from "./events.js";
import { blockEvents, decodeMetricBlock } from "./metric-block.js";
import { findRun } from "./run-lookup.js";
import { collectSeries, type Series } from "./series.js";
import { readTransaction } from "./transaction.js";
import type { WriterLiveness } from "./writer-lock.js";

export interface MetricsQuery {
  /** Metrics wanted; all of them without this. One that the run does not have is left out of the answer. */
  readonly keys?: readonly string[];
  /** Only points of later steps. */
  readonly afterStep?: number;
  /** At most so many points of each metric, chosen so that a line through them looks the same. See `downsample`. */
  readonly points?: number;
}

export interface RunMetrics {
  readonly runId: string;
  /** Sequence number of the run's last event that is in the answer: events after it are news. */
  readonly cursor: number;
  readonly series: Readonly<Record<string, Series>>;
}

interface RunRow {
  number: number;
  id: string;
  name: string;
  status: RunStatus;
  started_at: number;
  updated_at: number;
  finished_at: number | null;
  step: number;
  steps: number;
  config: string;
  model: string;
  message: string | null;
  writer: string | null;
  sequence: number;
}

interface EventRow {
  sequence: number;
  count: number;
  run_id: string | null;
  kind: StoreEvent["type"];
  payload: Uint8Array | string;
}

/** The reading half of a store. See `RunStore` for what its methods promise. */
export class RunReader {
  readonly #database: Database;
  readonly #folder: string;
  readonly #liveness: WriterLiveness;
  /** Keys never change once given, so they are looked up once. */
  readonly #keys = new Map<number, string>();
  readonly #statements;

  constructor(database: Database, folder: string, liveness: WriterLiveness) {
    this.#database = database;
    this.#folder = folder;
    this.#liveness = liveness;
    this.#statements = {
      identity: database.prepare("SELECT id FROM store"),
      cursor: database.prepare("SELECT sequence FROM store"),
      runs: database.prepare("SELECT * FROM runs ORDER BY number DESC"),
      run: database.prepare("SELECT * FROM runs WHERE number = ?"),
      latest: database.prepare("SELECT run, key, last_value FROM metrics ORDER BY id"),
      latestOf: database.prepare("SELECT run, key, last_value FROM metrics WHERE run = ? ORDER BY id"),
      metrics: database.prepare("SELECT id, key FROM metrics WHERE run = ? ORDER BY id"),
      tags: database.prepare("SELECT run, tag FROM tags ORDER BY tag"),
      tagsOf: database.prepare("SELECT run, tag FROM tags WHERE run = ? ORDER BY tag"),
      key: database.prepare("SELECT key FROM metrics WHERE id = ?"),
      blocks: database.prepare(
        "SELECT payload FROM events WHERE run = ? AND kind = 'metrics' AND last_step > ? ORDER BY sequence",
      ),
      events: database.prepare(
        "SELECT events.sequence, count, runs.id AS run_id, kind, payload FROM events " +
          "LEFT JOIN runs ON runs.number = events.run WHERE events.sequence > ? ORDER BY events.sequence LIMIT ?",
      ),
    };
  }

  identity(): string {
    return (this.#statements.identity.get() as { id: string }).id;
  }

  cursor(): number {
    return this.#read(() => (this.#statements.cursor.get() as { sequence: number }).sequence);
  }

  runs(): RunSummary[] {
    return this.#read(() =>
      readTransaction(this.#database, () => {
        const latest = new Map<number, Record<string, number>>();
        for (const { run, key, last_value } of this.#statements.latest.all() as LatestRow[]) {
          let values = latest.get(run);
          if (values === undefined) latest.set(run, (values = {}));
          values[key] = last_value ?? NaN;
        }
        const tags = new Map<number, string[]>();
        for (const { run, tag } of this.#statements.tags.all() as TagRow[]) {
          tags.set(run, [...(tags.get(run) ?? []), tag]);
        }
        const rows = this.#statements.runs.all() as unknown as RunRow[];
        return rows.map((row) => this.#summary(row, latest.get(row.number) ?? {}, tags.get(row.number) ?? []));
      }),
    );
  }

  run(given: string): RunSummary {
    return this.#read(() =>
      readTransaction(this.#database, () => {
        const { number } = findRun(this.#database, given);
        const rows = this.#statements.latestOf.all(number) as LatestRow[];
        const latest = Object.fromEntries(rows.map(({ key, last_value }) => [key, last_value ?? NaN]));
        const tags = (this.#statements.tagsOf.all(number) as TagRow[]).map(({ tag }) => tag);
        return this.#summary(this.#row(number), latest, tags);
      }),
    );
  }

  metrics(given: string, { keys, afterStep = -1, points }: MetricsQuery): RunMetrics {
    return this.#read(() =>
      readTransaction(this.#database, () => {
        const { number, id } = findRun(this.#database, given);
        const { sequence } = this.#row(number);
        const known = this.#statements.metrics.all(number) as { id: number; key: string }[];
        const wanted = new Map(
          known.filter(({ key }) => keys?.includes(key) ?? true).map((metric) => [metric.id, metric.key]),
        );
        const rows =
          wanted.size === 0 ? [] : (this.#statements.blocks.all(number, afterStep) as { payload: Uint8Array }[]);
        const blocks = rows.map(({ payload }) => decodeMetricBlock(payload));
        let series = collectSeries(blocks, wanted, afterStep);
        if (points !== undefined) {
          series = Object.fromEntries(Object.entries(series).map(([key, one]) => [key, downsample(one, points)]));
        }
        return { runId: id, cursor: sequence, series };
      }),
    );
  }

  eventsAfter(cursor: number, limit: number): SequencedEvent[] {
    return this.#read(() => {
      const events: SequencedEvent[] = [];
      // A row holds one event or more, so `limit` rows are enough.
      for (const row of this.#statements.events.iterate(cursor, limit) as Iterable<EventRow>) {
        const first = row.sequence - row.count + 1;
        const unpacked = this.#unpack(row);
        for (let i = Math.max(0, cursor + 1 - first); i < unpacked.length; i++) {
          if (events.length === limit) return events;
          events.push({ sequence: first + i, event: unpacked[i]! });
        }
      }
      return events;
    });
  }

  #row(run: number): RunRow {
    return this.#statements.run.get(run) as RunRow;
  }

  #unpack({ run_id, kind, payload }: EventRow): StoreEvent[] {
    if (typeof payload === "string") return [JSON.parse(payload) as StoreEvent];
    if (kind !== "metrics" || run_id === null) return [];
    const events = blockEvents(decodeMetricBlock(payload), (metric) => this.#key(metric));
    return events.map((event) => ({ type: "metrics", runId: run_id, ...event }));
  }

  #key(metric: number): string {
    let key = this.#keys.get(metric);
    if (key === undefined) {
      key = (this.#statements.key.get(metric) as { key: string }).key;
      this.#keys.set(metric, key);
    }
    return key;
  }

  #summary(row: RunRow, latest: Record<string, number>, tags: readonly string[]): RunSummary {
    // A dead writer's run is interrupted whether or not anybody could write that down yet.
    const interrupted = row.status === "running" && row.writer !== null && !this.#liveness.isAlive(row.writer);
    return {
      id: row.id,
      name: row.name,
      status: interrupted ? "interrupted" : row.status,
      startedAt: row.started_at,
      finishedAt: interrupted ? row.updated_at : row.finished_at,
      step: row.step,
      steps: row.steps,
      config: JSON.parse(row.config) as Record<string, unknown>,
      model: JSON.parse(row.model) as RunSummary["model"],
      message: interrupted ? "Its process ended before the run did." : row.message,
      tags,
      latest,
      cursor: row.sequence,
    };
  }

  origin(given: string): RunOrigin | null {
    return this.read((database) => {
      const { number } = findRun(database, given);
      const row = database.prepare("SELECT source, details FROM origins WHERE run = ?").get(number) as
        { source: RunOrigin["source"]; details: string } | undefined;
      return row === undefined
        ? null
        : { source: row.source, details: JSON.parse(row.details) as RunOrigin["details"] };
    });
  }

  positions(given: string): ReadonlyMap<string, number> {
    return this.read((database) => {
      const { number } = findRun(database, given);
      const rows = database.prepare("SELECT sender, position FROM senders WHERE run = ?").all(number);
      return new Map(
        (rows as { sender: string; position: number }[]).map(({ sender, position }) => [sender, position]),
      );
    });
  }

  /** Runs `work` on one state of the database, its errors made clear. */
  read<T>(work: (database: Database) => T): T {
    return this.#read(() => readTransaction(this.#database, () => work(this.#database)));
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, this.#folder);
    }
  }
}

interface LatestRow {
  run: number;
  key: string;
  last_value: number | null;
}

interface TagRow {
  run: number;
  tag: string;
}
