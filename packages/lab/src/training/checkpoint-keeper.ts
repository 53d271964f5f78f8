import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { saveCheckpoint, type Checkpoint } from "../checkpoint/checkpoint.js";
import { lockCheckpoint } from "../checkpoint/checkpoint-lock.js";
import type { LoopState } from "./run-loop.js";

export interface CheckpointOptions {
  /** The file. Its folder is made. Replaced whole or not at all. */
  readonly path: string;
  /**
   * Seconds of wall time between savings; the last state of an interrupted or finished run is saved too. Default 10, and
   * longer for a model so large that saving it would take more than a twentieth of the time.
   */
  readonly everySeconds?: number;
  /** Goes on from the file, which must be of the same config, to the same results to the last bit. Default false. */
  readonly resume?: boolean;
}

/** Saves what it is offered when the time has come, and the last of it on request. */
export interface CheckpointKeeper {
  offer(this: void, state: LoopState): void;
  saveLast(): void;
  close(): void;
}

/** Savings may take this share of the wall time. */
const share = 1 / 20;

/**
 * @param isLocked  Whether the run has the file to itself already.
 * @param flush     Makes durable what a checkpoint counts as recorded.
 * @throws BadInput if another run saves there.
 */
export function openCheckpointKeeper(
  { path, everySeconds }: CheckpointOptions,
  isLocked: boolean,
  flush: () => void,
  complete: (state: LoopState) => Checkpoint,
): CheckpointKeeper {
  if (!isLocked) mkdirSync(dirname(path), { recursive: true });
  const release = isLocked ? () => undefined : lockCheckpoint(path);
  let savedAt = performance.now();
  let took = 0;
  let last: LoopState | undefined;
  const save = (state: LoopState) => {
    const start = performance.now();
    flush();
    saveCheckpoint(path, complete(state));
    savedAt = performance.now();
    took = savedAt - start;
  };
  return {
    offer(state) {
      last = state;
      const pause = everySeconds === undefined ? Math.max(10_000, took / share) : 1000 * everySeconds;
      if (performance.now() - savedAt >= pause) save(state);
    },
    saveLast() {
      if (last) save(last);
    },
    close: release,
  };
}
