import type { RunMetrics } from "../store/reader.js";

/** Metrics of a run as a table: a row for each step at which anything was measured. */
export interface MetricsTable {
  readonly steps: Float64Array;
  /** Milliseconds since the epoch; where metrics of one step came at different times, the last of them. */
  readonly times: Float64Array;
  /** A value for each row; null where the metric was not measured, which is not the same as NaN. */
  readonly columns: readonly { readonly key: string; readonly values: readonly (number | null)[] }[];
}

export function metricsTable({ series }: RunMetrics): MetricsTable {
  const timeOf = new Map<number, number>();
  for (const { steps, times } of Object.values(series)) {
    for (let i = 0; i < steps.length; i++) {
      timeOf.set(steps[i]!, Math.max(times[i]!, timeOf.get(steps[i]!) ?? -Infinity));
    }
  }
  const steps = Float64Array.from(timeOf.keys()).sort();
  const rowOf = new Map(Array.from(steps, (step, row) => [step, row]));
  const columns = Object.entries(series).map(([key, one]) => {
    const values = new Array<number | null>(steps.length).fill(null);
    for (let i = 0; i < one.steps.length; i++) values[rowOf.get(one.steps[i]!)!] = one.values[i]!;
    return { key, values };
  });
  return { steps, times: Float64Array.from(steps, (step) => timeOf.get(step)!), columns };
}
