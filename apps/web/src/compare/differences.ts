import type { RunSummary } from "../api/types.js";

export interface Row {
  /** `model.widths`, or the key of a metric. */
  readonly name: string;
  /** One a run, in their order; undefined where the run has none. */
  readonly values: readonly unknown[];
  readonly differs: boolean;
}

/** Every setting of the runs, by path; whole arrays are one setting, since half of a list of widths means nothing. */
export function settingRows(runs: readonly RunSummary[]): Row[] {
  return rowsOf(runs.map(({ config }) => new Map(flatten(config, ""))));
}

/** The last value of every metric, without the standard errors, which go with their own. */
export function metricRows(runs: readonly RunSummary[]): Row[] {
  const rows = rowsOf(runs.map(({ latest }) => new Map<string, unknown>(Object.entries(latest))));
  return rows.filter(({ name }) => !/\/(standardError|ritzResidual)$/.test(name));
}

function rowsOf(columns: readonly ReadonlyMap<string, unknown>[]): Row[] {
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort();
  return names.map((name) => {
    const values = columns.map((column) => column.get(name));
    return { name, values, differs: new Set(values.map(written)).size > 1 };
  });
}

/** JSON has one text for NaN and null. */
const written = (value: unknown) => (typeof value === "number" ? String(value) : JSON.stringify(value));

function flatten(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, entry]) => flatten(entry, path === "" ? key : `${path}.${key}`));
}

/** The place of the smallest value, where there are at least two different ones; −1 otherwise. */
export function smallest(values: readonly unknown[]): number {
  const numbers = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const least = Math.min(...numbers);
  return new Set(numbers).size > 1 ? values.indexOf(least) : -1;
}
