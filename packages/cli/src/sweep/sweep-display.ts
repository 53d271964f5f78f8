import type { SweepProgress } from "@sedge/lab";
import type { Io } from "../io.js";
import { formatCount, formatDuration } from "../output/format.js";
import { progressBar } from "../output/progress-bar.js";

export interface SweepDisplay {
  update(progress: SweepProgress): void;
  stop(): void;
}

/** Without a terminal a line is written no sooner than this, and whenever runs have ended. */
const lineMilliseconds = 5000;

/** One line for the whole sweep: a bar where somebody watches. */
export function sweepDisplay(io: Io): SweepDisplay {
  return io.watched ? bar(io) : lines(io);
}

/** `12 of 40 runs done, 2 running, 1 failed, 8,200 steps/s, 3:10 left` */
export function describeSweep({ runs, stepsPerSecond, secondsLeft }: SweepProgress): string {
  const all = Object.values(runs).reduce((sum, count) => sum + count, 0);
  const some = (count: number, word: string) => (count === 0 ? [] : [`${formatCount(count)} ${word}`]);
  return [
    `${formatCount(runs.finished + runs.diverged)} of ${formatCount(all)} runs done`,
    ...some(runs.running, "running"),
    ...some(runs.diverged, "diverged"),
    ...some(runs.failed, "failed"),
    ...some(runs.interrupted, "interrupted"),
    ...(stepsPerSecond > 0 ? [`${formatCount(stepsPerSecond)} steps/s`] : []),
    ...(Number.isFinite(secondsLeft) && secondsLeft > 0 ? [`${formatDuration(secondsLeft)} left`] : []),
  ].join(", ");
}

function lines(io: Io): SweepDisplay {
  let last = { time: -Infinity, ended: -1, text: "" };
  return {
    update(progress) {
      const { finished, diverged, failed } = progress.runs;
      const ended = finished + diverged + failed;
      const time = performance.now();
      const text = describeSweep(progress);
      if (text === last.text || (ended === last.ended && time - last.time < lineMilliseconds)) return;
      last = { time, ended, text };
      io.note(text);
    },
    stop: () => undefined,
  };
}

function bar(io: Io): SweepDisplay {
  const drawn = progressBar(io, "{text}");
  let started = false;
  return {
    update(progress) {
      const payload = { text: describeSweep(progress) };
      if (!started) drawn.start(progress.steps, progress.stepsDone, payload);
      started = true;
      drawn.update(progress.stepsDone, payload);
    },
    stop: () => drawn.stop(),
  };
}
