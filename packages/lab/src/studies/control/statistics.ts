import { number } from "../../advice/measured.js";

/** Of Student's t at 97.5 %, by degrees of freedom; NaN at 0. */
const quantiles = [NaN, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
const studentT = (freedom: number) => quantiles[freedom] ?? 1.96;

/** A mean over seeds with the half-width of its 95 % confidence interval by Student's t; NaN of a single value. */
export interface Interval {
  readonly mean: number;
  readonly half: number;
  /** Values that are numbers, and all of them. */
  readonly known: number;
  readonly of: number;
}

/** Values that are missing, as of a run that diverged, are left out and counted; null where none is left. */
export function interval(values: readonly (number | null | undefined)[]): Interval | null {
  const known = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  if (known.length === 0) return null;
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  const variance = known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (known.length - 1);
  const half = studentT(known.length - 1) * Math.sqrt(variance / known.length);
  return { mean, half, known: known.length, of: values.length };
}

/** `0.141 ± 0.02`, with how many of the seeds it is of where it is not of all; a dash where it is of none. */
export function showInterval(found: Interval | null): string {
  if (found === null) return "–";
  const { mean, half, known, of } = found;
  const bar = Number.isFinite(half) ? ` ± ${number(half, 2)}` : "";
  return `${number(mean, 3)}${bar}${known < of ? ` (${known} of ${of})` : ""}`;
}
