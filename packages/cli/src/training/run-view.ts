import type { RunStatus } from "@sedge/lab";
import type { RunSummary } from "@sedge/server";
import type { Pace } from "./messages.js";

/** What a progress display knows of a run. */
export interface RunView {
  readonly runId: string;
  /** What tells it from the others: its name, or `η = 0.01`. */
  readonly label: string;
  readonly steps: number;
  readonly status: "waiting" | RunStatus;
  readonly step: number;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
  /** Newest value of each metric. */
  readonly latest: Readonly<Record<string, number>>;
}

/** A run that has not begun. */
export function waitingRun(runId: string, label: string, steps: number): RunView {
  return { runId, label, steps, status: "waiting", step: 0, stepsPerSecond: NaN, secondsLeft: NaN, latest: {} };
}

/** The view after a look into the store. */
export function afterSummary(view: RunView, { status, step, latest }: RunSummary): RunView {
  const ended = status !== "running";
  return { ...view, status, step: ended ? step : Math.max(view.step, step), latest };
}

/** The view after its trainer said how fast it goes. */
export function afterPace(view: RunView, { step, stepsPerSecond, secondsLeft }: Pace): RunView {
  return { ...view, step: Math.max(view.step, step), stepsPerSecond, secondsLeft };
}

/** As far as it has come, from 0 to 1. */
export const share = ({ step, steps }: RunView): number => (steps === 0 ? 1 : Math.min(1, step / steps));
