import { createHash } from "node:crypto";
import { asStoreError, type Database } from "./connection.js";
import { decodeMetricBlock, hasEvent } from "./metric-block.js";
import { readTransaction } from "./transaction.js";

export interface IntegrityReport {
  readonly sound: boolean;
  /** One line for each fault found. */
  readonly problems: readonly string[];
  readonly runs: number;
  readonly events: number;
  /** Values of metrics. */
  readonly points: number;
}

interface EventRow {
  sequence: number;
  count: number;
  run: number | null;
  kind: string;
  payload: Uint8Array | string;
}

/**
 * Reads everything and compares what is stored twice: SQLite's own structures, the checksum of every block, the
 * sequence (numbers rise and no two rows overlap), each metric's number of points and last value against its blocks, the
 * digest of every artifact, and the data of every record.
 */
export function checkIntegrity(database: Database, folder: string): IntegrityReport {
  try {
    return readTransaction(database, () => inspect(database));
  } catch (error) {
    const problem = asStoreError(error, folder).message;
    return { sound: false, problems: [problem], runs: 0, events: 0, points: 0 };
  }
}

function inspect(database: Database): IntegrityReport {
  const problems: string[] = [];
  for (const row of database.prepare("PRAGMA integrity_check").all() as { integrity_check: string }[]) {
    if (row.integrity_check !== "ok") problems.push(`database: ${row.integrity_check}`);
  }
  for (const row of database.prepare("PRAGMA foreign_key_check").all() as { table: string; rowid: number }[]) {
    problems.push(`${row.table} row ${row.rowid}: belongs to a run that is not there`);
  }

  const counted = new Map<number, { points: number; last: number }>();
  let previous = 0;
  let events = 0;
  let points = 0;
  for (const row of database.prepare("SELECT * FROM events ORDER BY sequence").iterate() as Iterable<EventRow>) {
    events += row.count;
    if (row.count < 1 || row.sequence - row.count < previous) {
      problems.push(`events ${row.sequence - row.count + 1} to ${row.sequence}: overlap those before`);
    }
    previous = row.sequence;
    if (typeof row.payload === "string") continue;
    try {
      const block = decodeMetricBlock(row.payload);
      if (block.steps.length !== row.count) {
        problems.push(`block ${row.sequence}: holds ${block.steps.length} events, expected ${row.count}`);
      }
      for (const column of block.columns) {
        const present = block.steps.reduce((sum, _, i) => sum + (hasEvent(column, i) ? 1 : 0), 0);
        if (present !== column.values.length) problems.push(`block ${row.sequence}: a column's mask does not fit it`);
        const entry = counted.get(column.metric) ?? { points: 0, last: NaN };
        entry.points += column.values.length;
        entry.last = column.values.at(-1) ?? entry.last;
        counted.set(column.metric, entry);
        points += column.values.length;
      }
    } catch (error) {
      problems.push(`block ${row.sequence}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const { sequence } = database.prepare("SELECT sequence FROM store").get() as { sequence: number };
  if (previous > sequence) problems.push(`the store counts ${sequence} events, yet there is one numbered ${previous}`);

  const metrics = database.prepare(
    "SELECT metrics.id, key, runs.id AS run, points, last_value FROM metrics JOIN runs ON runs.number = run",
  );
  for (const metric of metrics.all() as {
    id: number;
    key: string;
    run: string;
    points: number;
    last_value: number | null;
  }[]) {
    const { points: found = 0, last = NaN } = counted.get(metric.id) ?? {};
    if (found !== metric.points) {
      problems.push(`run ${metric.run}: ${metric.key}: ${found} points found, expected ${metric.points}`);
    }
    const stored = metric.last_value ?? NaN;
    if (stored !== last && !(Number.isNaN(stored) && Number.isNaN(last))) {
      problems.push(`run ${metric.run}: ${metric.key}: the last value is ${last}, expected ${stored}`);
    }
  }
  const artifacts = database.prepare(
    "SELECT runs.id, artifacts.name, digest, content FROM artifacts JOIN runs ON runs.number = run",
  );
  for (const artifact of artifacts.iterate() as Iterable<{
    id: string;
    name: string;
    digest: string;
    content: Uint8Array;
  }>) {
    if (createHash("sha256").update(artifact.content).digest("hex") === artifact.digest) continue;
    problems.push(`run ${artifact.id}: artifact ${artifact.name}: its content has changed`);
  }
  for (const table of ["probes", "advice"]) {
    const unreadable = database.prepare(
      `SELECT runs.id, ${table}.step, ${table}.kind FROM ${table} JOIN runs ON runs.number = run WHERE NOT json_valid(${table}.data)`,
    );
    for (const { id, step, kind } of unreadable.all() as { id: string; step: number; kind: string }[]) {
      problems.push(`run ${id}: ${table} ${kind} at step ${step}: its data are no JSON`);
    }
  }
  const torn = database.prepare(
    "SELECT runs.id, spectra.step FROM spectra JOIN runs ON runs.number = run WHERE length(eigenvalues) % 8 <> 0",
  );
  for (const { id, step } of torn.all() as { id: string; step: number }[]) {
    problems.push(`run ${id}: spectrum at step ${step}: its length is no whole number of eigenvalues`);
  }
  const { runs } = database.prepare("SELECT count(*) AS runs FROM runs").get() as { runs: number };
  return { sound: problems.length === 0, problems, runs, events, points };
}
