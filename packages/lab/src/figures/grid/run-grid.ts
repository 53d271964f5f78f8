import { parseTrainConfig, type TrainConfigInput } from "../../config/train-config.js";
import { openDataset } from "../../data/open-dataset.js";
import type { RunStatus } from "../../run/events.js";
import { memorySink } from "../../run/sinks.js";
import { train } from "../../training/train.js";
import type { FigureContext } from "../figure.js";

/** One run of a figure. */
export interface GridRun {
  /** For the progress display. */
  readonly label: string;
  readonly config: TrainConfigInput;
}

/** What a run came to: plain data, as it is kept. */
export interface GridResult {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly status: Exclude<RunStatus, "running" | "failed">;
  /** The last step. */
  readonly step: number;
  /** Every metric that was measured, by path. */
  readonly series: Readonly<Record<string, Series>>;
}

export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** Goes up when what runs compute or keep changes, so that what was kept before is not taken for it. */
const version = 1;

/** Trains every run that is not among the finished parts, one after another. Each that finishes is kept at once. */
export async function runGrid(
  name: string,
  runs: readonly GridRun[],
  { parts, onProgress, signal }: Pick<FigureContext, "parts" | "onProgress" | "signal">,
): Promise<GridResult[]> {
  const results: GridResult[] = [];
  for (const [i, { label, config: input }] of runs.entries()) {
    const config = parseTrainConfig(input);
    const tell = (share: number) => onProgress({ label, done: i + share, total: runs.length });
    tell(0);
    const result = await parts.part(name, { config, version }, async () => {
      const sink = memorySink();
      const { status, step, warnings } = await train(config, {
        dataset: await openDataset(config.data),
        sinks: [sink],
        ...(signal && { signal }),
        onProgress: ({ step: at, steps }) => tell(at / steps),
      });
      if (status === "interrupted") throw signal!.reason;
      if (warnings.length > 0) throw new Error(`${label}: ${warnings.join("; ")}`); // a figure with holes is none
      const { learningRate, batchSize, seed } = config;
      const metrics = sink.events.flatMap((event) => (event.type === "metrics" ? [event] : []));
      return { learningRate, batchSize, seed, status, step, series: seriesOf(metrics) };
    });
    results.push(result);
  }
  return results;
}

function seriesOf(metrics: readonly { step: number; values: Readonly<Record<string, number>> }[]) {
  const series: Record<string, { steps: number[]; values: number[] }> = {};
  for (const { step, values } of metrics) {
    for (const [key, value] of Object.entries(values)) {
      if (/^(cost|speed)\//.test(key)) continue; // of this machine, not of the run
      const own = (series[key] ??= { steps: [], values: [] });
      own.steps.push(step);
      own.values.push(value);
    }
  }
  return series;
}

/** A metric's course as points; none where it was not measured. */
export function pointsOf({ series }: GridResult, key: string): [number, number][] {
  const { steps, values } = series[key] ?? { steps: [], values: [] };
  return steps.map((step, i) => [step, values[i]!]);
}

/** The mean of the last `count` measurements of a metric; NaN where there is none. */
export function lastOf({ series }: GridResult, key: string, count = 1): number {
  const values = series[key]?.values.slice(-count) ?? [];
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The first measurement of a metric; NaN where there is none. */
export const firstOf = ({ series }: GridResult, key: string): number => series[key]?.values[0] ?? NaN;
