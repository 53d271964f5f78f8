import { BadInput, standingOf, verdict } from "@sedge/lab";
import type { AdviceRecord, ProbeRecord, RunMetrics, RunStore, RunSummary } from "@sedge/server";
import { version } from "../program.js";

export interface ReportedRun {
  readonly run: RunSummary;
  readonly verdict: string;
  readonly series: RunMetrics["series"];
  /** The last of it. */
  readonly advice: AdviceRecord | null;
  /** The last records of which layers and which examples make K; of a sweep's runs none, its page would grow too long. */
  readonly attribution: ProbeRecord | null;
  readonly examples: ProbeRecord | null;
}

/** All that a report says. Plain data, and embedded in the page as such. */
export interface ReportData {
  readonly title: string;
  /** Of a sweep, all its runs; else one. Oldest first. */
  readonly runs: readonly ReportedRun[];
  readonly sweep: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly madeAt: number;
}

/** Points of a series that a report draws and embeds, at most: lines look the same, and a page of many runs stays small. */
const points = 1000;

/**
 * @param given  A run's id, the beginning of one, or its name; or the name of a sweep.
 * @throws BadInput or StoreError where there is neither.
 */
export function reportData(store: RunStore, given: string): ReportData {
  const tag = `sweep:${given.replace(/^sweep:/, "")}`;
  const members = store.runs().filter(({ tags }) => tags.includes(tag));
  if (members.length === 0 && given.startsWith("sweep:")) {
    throw new BadInput(`report: no run of the store belongs to a sweep named ${JSON.stringify(tag.slice(6))}.`);
  }
  const isSweep = members.length > 0;
  const runs = isSweep ? members.reverse() : [store.run(given)];
  const last = (kind: string, id: string) => store.probes(id, { kind: [kind], limit: 1 })[0] ?? null;
  return {
    title: isSweep ? `Sweep ${tag.slice(6)}` : runs[0]!.name,
    sweep: isSweep ? tag.slice(6) : null,
    runs: runs.map((run) => ({
      run,
      verdict: verdict(standingOf(run.status, run.step, run.latest)).text,
      series: store.metrics(run.id, { points }).series,
      advice: store.advice(run.id, { limit: 1 })[0] ?? null,
      attribution: isSweep ? null : last("attribution", run.id),
      examples: isSweep ? null : last("examples", run.id),
    })),
    environment: {
      Sedge: version(),
      Node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      store: store.folder,
    },
    madeAt: Date.now(),
  };
}
