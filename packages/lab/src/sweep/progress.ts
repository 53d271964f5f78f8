import type { RunState } from "./collector.js";

/** How far a sweep has come. */
export interface SweepProgress {
  readonly runs: Readonly<Record<"waiting" | "running" | "finished" | "diverged" | "failed" | "interrupted", number>>;
  /** Of all runs; one that has ended counts as whole, wherever it ended. */
  readonly steps: number;
  readonly stepsDone: number;
  /** Steps of all runs together a second, over the last half minute; NaN before anything has moved. */
  readonly stepsPerSecond: number;
  /** NaN before there is an estimate. */
  readonly secondsLeft: number;
}

const windowMilliseconds = 30_000;

/** @param now  Milliseconds, for tests. Default the clock. */
export function sweepProgress(
  first: readonly RunState[],
  now: () => number = () => performance.now(),
): (states: readonly RunState[]) => SweepProgress {
  const past: { readonly time: number; readonly done: number }[] = [{ time: now(), done: stepsMade(first) }];
  return (states) => {
    const runs = { waiting: 0, running: 0, finished: 0, diverged: 0, failed: 0, interrupted: 0 };
    let [steps, stepsDone] = [0, 0];
    for (const { run, status, step } of states) {
      runs[status ?? "waiting"]++;
      steps += run.config.steps;
      const ended = status === "finished" || status === "diverged" || status === "failed";
      stepsDone += ended ? run.config.steps : step;
    }
    const time = now();
    past.push({ time, done: stepsMade(states) });
    while (past.length > 2 && time - past[1]!.time > windowMilliseconds) past.shift();
    const [from, to] = [past[0]!, past.at(-1)!];
    const made = to.done - from.done;
    const stepsPerSecond = made > 0 ? (1000 * made) / (to.time - from.time) : NaN;
    return { runs, steps, stepsDone, stepsPerSecond, secondsLeft: (steps - stepsDone) / stepsPerSecond };
  };
}

/** Steps really made, which a diverged run's missing ones are not. */
const stepsMade = (states: readonly RunState[]) => states.reduce((sum, { step }) => sum + step, 0);
