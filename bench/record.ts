/** The timings behind the table: one entry a workload, its newest, so that a bench may be run piece by piece or be killed. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { legend, table } from "./table.js";
import type { Timing } from "./workload.js";

/** Without these no number may be quoted. */
export interface Circumstances {
  readonly machine: string;
  readonly node: string;
  readonly commit: string;
  /** Day, ISO 8601. */
  readonly date: string;
}

export interface Entry {
  readonly circumstances: Circumstances;
  readonly timings: readonly Timing[];
}

export type BenchRecord = Readonly<Record<string, Entry>>;

export function circumstances(): Circumstances {
  const machine = `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores`;
  return { machine, node: process.versions.node, commit: commit(), date: new Date().toISOString().slice(0, 10) };
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown"; // no git here, or a source tree without its history
  }
}

export function readRecord(file: string): BenchRecord {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as BenchRecord) : {};
}

/** Written beside the file and moved into place: a kill leaves the old record or the new one. */
export function writeRecord(file: string, record: BenchRecord): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(record, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

/**
 * Markdown: a table for each set of circumstances, newest workloads first in the order given.
 *
 * @param order  Names of all workloads; entries of others, since renamed or removed, are left out.
 */
export function report(record: BenchRecord, order: readonly string[]): string {
  const groups = new Map<string, Timing[]>();
  for (const name of order) {
    const entry = record[name];
    if (entry === undefined) continue;
    const { machine, node, commit, date } = entry.circumstances;
    const heading = `${machine}, Node ${node}, commit ${commit}, ${date}.`;
    groups.set(heading, [...(groups.get(heading) ?? []), ...entry.timings]);
  }
  return [legend, ...[...groups].map(([heading, timings]) => `${heading}\n\n${table(timings)}`)].join("\n\n");
}
