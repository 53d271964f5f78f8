import type { Io } from "../io.js";
import { formatDuration } from "./format.js";
import { progressBar } from "./progress-bar.js";

/** Progress of one long computation whose parts have names. */
export interface TaskProgress {
  update(progress: { readonly label: string; readonly done: number; readonly total: number }): void;
  stop(): void;
}

/** Without a terminal a line is written when a new part begins, and otherwise, if there is news, no sooner than this. */
const lineMilliseconds = 5000;

/** A bar where somebody watches, otherwise a line now and then. */
export function taskProgress(io: Io): TaskProgress {
  return io.watched ? bar(io) : lines(io);
}

function bar(io: Io): TaskProgress {
  const drawn = progressBar(io, "{label}  {left}");
  let started = NaN;
  return {
    update({ label, done, total }) {
      if (Number.isNaN(started)) {
        started = performance.now();
        drawn.start(total, done, { label, left: "" });
      }
      const seconds = (performance.now() - started) / 1000;
      const left = done > 0 && done < total ? `${formatDuration((seconds * (total - done)) / done)} left` : "";
      drawn.setTotal(total);
      drawn.update(done, { label, left });
    },
    stop: () => drawn.stop(),
  };
}

function lines(io: Io): TaskProgress {
  let last = { label: "", percent: -1, time: -Infinity };
  return {
    update({ label, done, total }) {
      const time = performance.now();
      const percent = Math.floor((100 * done) / total);
      if (label === last.label && (percent === last.percent || time - last.time < lineMilliseconds)) return;
      last = { label, percent, time };
      io.note(`${label}: ${percent} % done`);
    },
    stop: () => undefined,
  };
}
