import type { RunStatus } from "../../run/events.js";
import { planSweep } from "../../sweep/plan.js";
import type { SweptRun } from "../../sweep/run-sweep.js";
import { parseSweepConfig, type SweepConfigInput } from "../../sweep/sweep-config.js";
import type { FigureContext } from "../figure.js";

/** What a run came to: plain data. */
export interface GridResult {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly status: Exclude<RunStatus, "running" | "failed" | "interrupted">;
  /** The last step. */
  readonly step: number;
  /** Every metric that was measured, by path, but for those of the machine. */
  readonly series: Readonly<Record<string, Series>>;
}

export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** What the figures' runs measure. */
export const measure = ["loss", "sharpness", "noiseKernel"] as const;
/** Metrics of these that are there whenever the loss is. */
const together = ["sharpness", "noiseKernel/exact"];

/**
 * Trains the runs of a figure's sweep that are not trained yet. Each in a graph of its own: probes take most of their
 * time, which a shared graph does not shorten, and so the numbers are those of `sedge train` to the last bit.
 *
 * @throws Error if a run failed or has a measurement missing: a figure with holes is none.
 */
export async function runGrid(
  config: SweepConfigInput,
  { sweep, onProgress, signal }: Pick<FigureContext, "sweep" | "onProgress" | "signal">,
): Promise<GridResult[]> {
  const plan = planSweep(parseSweepConfig({ ...config, vectorise: false }));
  const { runs } = await sweep(plan, ({ stepsDone, steps }) =>
    onProgress({ label: plan.name, done: stepsDone, total: steps }),
  );
  signal?.throwIfAborted();
  return runs.map(resultOf);
}

function resultOf(run: SweptRun): GridResult {
  const { label, config, status, step, message = "has not ended" } = run;
  if (status !== "finished" && status !== "diverged") throw new Error(`${label}: ${status ?? "not begun"}: ${message}`);
  const { learningRate, batchSize, seed } = config;
  const ofRun = Object.entries(run.series()).filter(([key]) => !/^(cost|speed)\//.test(key));
  const series = Object.fromEntries(ofRun);
  const wanted = series["loss/train"]?.steps.length ?? 0;
  for (const key of together) {
    const found = series[key]?.steps.length ?? 0;
    if (found !== wanted) throw new Error(`${label}: ${key} was measured ${found} times of ${wanted}: ${message}`);
  }
  return { learningRate, batchSize, seed, status, step, series };
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
