import { lowerBound, nearestIndex } from "../data/series.js";
import type { LegendLine } from "./content.js";
import type { Plot } from "./plot.js";

/** How near to a line the pointer must be to mean it. Pixels. */
const reach = 24;

/** The run whose line passes nearest to a place on the chart; null where none is near. */
export function nearestRun(
  lines: readonly LegendLine[],
  x: number,
  top: number,
  plot: Pick<Plot, "topOf">,
): string | null {
  let nearest: string | null = null;
  let distance = reach;
  for (const { line, run } of lines) {
    const i = nearestIndex(line.x, x);
    if (i < 0) continue;
    const away = Math.abs((plot.topOf(line.values[i]!) ?? Infinity) - top);
    if (away < distance) {
      distance = away;
      nearest = run.id;
    }
  }
  return nearest;
}

/** The next measured place to the right (1) or left (−1) of `x`, over all lines; from the end where `x` is null. */
export function neighbourOf(lines: readonly LegendLine[], x: number | null, direction: number): number | null {
  let found: number | null = null;
  const from = x ?? (direction > 0 ? -Infinity : Infinity);
  for (const { line } of lines) {
    const at = lowerBound(line.x, from);
    const next = direction < 0 ? line.x[at - 1] : line.x[at]! > from ? line.x[at] : line.x[at + 1];
    if (next === undefined || Number.isNaN(next)) continue;
    if (found === null || (direction > 0 ? next < found : next > found)) found = next;
  }
  return found;
}
