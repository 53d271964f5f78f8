import { nearestIndex } from "../data/series.js";
import type { LegendLine } from "./content.js";

export interface Reading {
  readonly value: number;
  readonly error: number;
  /** Where it was measured, in the unit of the horizontal axis. */
  readonly x: number;
}

/** The measurement nearest to `x`, or the newest where `x` is null. Null where the line is empty or ends long before. */
export function readingAt({ line }: LegendLine, x: number | null): Reading | null {
  const last = line.x.length - 1;
  if (last < 0) return null;
  const i = x === null ? last : nearestIndex(line.x, x);
  // Beyond a run's end there is nothing to read, unless the pointer is just past it.
  if (x !== null && i === last && last > 0 && x > line.x[last]! + (line.x[last]! - line.x[last - 1]!)) return null;
  return { value: line.values[i]!, error: line.errors?.[i] ?? NaN, x: line.x[i]! };
}
