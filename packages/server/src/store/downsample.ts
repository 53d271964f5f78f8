import type { Series } from "./series.js";

/** The fewest points a series may be reduced to. */
export const fewestPoints = 8;

/**
 * At most `points` of a series' points, chosen so that a line through them looks like the line through all.
 *
 * Min–max: the series is cut into stretches of equally many points, and each keeps its smallest and its largest value,
 * where they stand. No spike is lost, which averaging would lose and largest-triangle may. First and last point stay,
 * and of each stretch the first value that is not finite: a gap in the drawing remains a gap.
 *
 * @throws RangeError for fewer than 8 points.
 */
export function downsample(series: Series, points: number): Series {
  if (!Number.isInteger(points) || points < fewestPoints) {
    throw new RangeError(`downsample: points: expected an integer from ${fewestPoints} up, got ${points}.`);
  }
  const { values } = series;
  const { length } = values;
  if (length <= points) return series;
  const perStretch = values.every(Number.isFinite) ? 2 : 3;
  const stretches = Math.floor((points - 2) / perStretch);
  const kept = new Set([0]);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const begin = 1 + Math.floor((stretch * (length - 2)) / stretches);
    const end = 1 + Math.floor(((stretch + 1) * (length - 2)) / stretches);
    for (const index of extremes(values, begin, end)) kept.add(index);
  }
  kept.add(length - 1);
  const pick = (from: Float64Array) => Float64Array.from(kept, (index) => from[index]!);
  return { steps: pick(series.steps), times: pick(series.times), values: pick(values) };
}

/** Indices of the smallest, the largest and the first value that is not finite, ascending. */
function extremes(values: Float64Array, begin: number, end: number): number[] {
  let smallest = -1;
  let largest = -1;
  let broken = -1;
  for (let i = begin; i < end; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      if (broken < 0) broken = i;
      continue;
    }
    if (smallest < 0 || value < values[smallest]!) smallest = i;
    if (largest < 0 || value > values[largest]!) largest = i;
  }
  return [smallest, largest, broken].filter((index) => index >= 0).sort((a, b) => a - b);
}
