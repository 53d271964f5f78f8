import { hasEvent, type MetricBlock } from "./metric-block.js";

/** One metric of one run, in order of step; a step occurs once. */
export interface Series {
  readonly steps: Float64Array;
  /** Milliseconds since the epoch. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * The series of each wanted metric, out of blocks in the order they were written.
 *
 * A run that was resumed may write steps again, and several processes behind one run may write out of order: points
 * are sorted by step, and of several on one step the one written last counts.
 *
 * @param afterStep  Only points of later steps.
 */
export function collectSeries(
  blocks: readonly MetricBlock[],
  wanted: ReadonlyMap<number, string>,
  afterStep: number,
): Record<string, Series> {
  const sizes = new Map<number, number>();
  for (const { columns } of blocks) {
    for (const { metric, values } of columns) {
      if (wanted.has(metric)) sizes.set(metric, (sizes.get(metric) ?? 0) + values.length);
    }
  }
  const series: Record<string, Series> = {};
  for (const [metric, key] of wanted) {
    const size = sizes.get(metric);
    if (size !== undefined) series[key] = ordered(gather(blocks, metric, size, afterStep));
  }
  return series;
}

function gather(blocks: readonly MetricBlock[], metric: number, size: number, afterStep: number): Series {
  const steps = new Float64Array(size);
  const times = new Float64Array(size);
  const values = new Float64Array(size);
  let used = 0;
  for (const block of blocks) {
    const column = block.columns.find((candidate) => candidate.metric === metric);
    if (column === undefined) continue;
    let next = 0;
    for (let i = 0; i < block.steps.length; i++) {
      if (!hasEvent(column, i)) continue;
      const value = column.values[next++]!;
      if (block.steps[i]! <= afterStep) continue;
      steps[used] = block.steps[i]!;
      times[used] = block.times[i]!;
      values[used++] = value;
    }
  }
  return { steps: steps.subarray(0, used), times: times.subarray(0, used), values: values.subarray(0, used) };
}

function ordered(series: Series): Series {
  const { steps } = series;
  let increasing = true;
  for (let i = 1; i < steps.length && increasing; i++) increasing = steps[i]! > steps[i - 1]!;
  if (increasing) return series;

  // Sorting is stable, so the last of equal steps is the one written last.
  const order = Array.from(steps, (_, i) => i).sort((a, b) => steps[a]! - steps[b]!);
  const kept = order.filter((index, i) => i + 1 === order.length || steps[order[i + 1]!] !== steps[index]);
  const pick = (values: Float64Array) => Float64Array.from(kept, (index) => values[index]!);
  return { steps: pick(steps), times: pick(series.times), values: pick(series.values) };
}
