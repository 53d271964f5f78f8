import type { RunSummary } from "../store/events.js";

export interface Comparison {
  /** Ids of the runs, in the order given; every list of values below follows it. */
  readonly runs: readonly string[];
  /** Settings in which the runs differ, by path (`model.widths`); undefined where a run has no such setting. */
  readonly config: readonly { readonly path: string; readonly values: readonly unknown[] }[];
  /** The last value of every metric; null where a run has not measured it. */
  readonly metrics: readonly { readonly key: string; readonly values: readonly (number | null)[] }[];
}

/** What distinguishes runs: the settings that differ, and where each metric ended. */
export function compareRuns(runs: readonly RunSummary[]): Comparison {
  const settings = runs.map(({ config }) => new Map(flatten(config, "")));
  const paths = [...new Set(settings.flatMap((one) => [...one.keys()]))];
  const config = paths
    .map((path) => ({ path, values: settings.map((one) => one.get(path)) }))
    // Whole arrays are one setting: half of a list of widths means nothing.
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
  const keys = [...new Set(runs.flatMap(({ latest }) => Object.keys(latest)))];
  const metrics = keys.map((key) => ({ key, values: runs.map(({ latest }) => latest[key] ?? null) }));
  return { runs: runs.map(({ id }) => id), config, metrics };
}

function flatten(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, entry]) => flatten(entry, path === "" ? key : `${path}.${key}`));
}
