import { availableParallelism } from "node:os";
import type { TrainConfig } from "@sedge/lab";
import { createRunId, openStore, type RunStore } from "@sedge/server";
import type { Io } from "../io.js";
import { progressDisplay } from "../output/progress-display.js";
import { afterPace, afterSummary, waitingRun, type RunView } from "./run-view.js";
import { startTrainer, type Outcome, type Trainer } from "./start-trainer.js";

export interface Job {
  readonly label: string;
  readonly config: TrainConfig;
  /** A run in the store that is to go on from its checkpoint. Default: a new run. */
  readonly resume?: string;
}

export interface FinishedJob extends Job {
  readonly runId: string;
  readonly outcome: Outcome;
}

export interface TrainRunsOptions {
  /** Folder of the run store. */
  readonly folder: string;
  /** The store itself, where it is open already. */
  readonly store?: RunStore;
  /** Runs at a time. Default: as many as there are cores, all jobs at most. */
  readonly parallel?: number;
}

/** How often the store is read for news, in milliseconds: as often as it writes what it holds back. */
const pollMilliseconds = 200;

/**
 * Trains every job in a process of its own, some at a time, and shows progress from the run store.
 *
 * Ctrl-C ends those that run as interrupted and starts no other.
 *
 * @returns The jobs that were started, in the order given.
 */
export async function trainRuns(jobs: readonly Job[], io: Io, options: TrainRunsOptions): Promise<FinishedJob[]> {
  const parallel = Math.max(1, Math.min(options.parallel ?? availableParallelism(), jobs.length));
  const linearAlgebraThreads = Math.max(1, Math.floor(availableParallelism() / parallel));
  const planned = jobs.map((job) => ({ ...job, runId: job.resume ?? createRunId() }));
  const views = new Map(planned.map(({ runId, label, config }) => [runId, waitingRun(runId, label, config.steps)]));
  const follower = storeFollower(options, views);
  const display = progressDisplay(io, [...views.values()]);
  const running = new Set<Trainer>();
  const stopAll = () => running.forEach((trainer) => trainer.stop());
  io.interrupted.addEventListener("abort", stopAll);
  const timer = setInterval(() => {
    follower.read();
    display.update([...views.values()]);
  }, pollMilliseconds);

  const finished: FinishedJob[] = [];
  const queue = [...planned];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined && !io.interrupted.aborted; job = queue.shift()) {
      const { runId, config, resume } = job;
      const trainer = startTrainer({
        runId,
        config,
        store: options.folder,
        resume: resume !== undefined,
        linearAlgebraThreads,
        onPace: (pace) => views.set(runId, afterPace(views.get(runId)!, pace)),
      });
      running.add(trainer);
      void trainer.started.then(() => follower.begin(runId));
      finished.push({ ...job, outcome: await trainer.outcome });
      follower.read();
      running.delete(trainer);
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
    follower.read();
    display.update([...views.values()]);
  } finally {
    clearInterval(timer);
    io.interrupted.removeEventListener("abort", stopAll);
    display.stop();
    follower.close();
  }
  const order = planned.map(({ runId }) => runId);
  return finished.sort((a, b) => order.indexOf(a.runId) - order.indexOf(b.runId));
}

/** Brings the views of runs that have begun up to date with the store, which is opened when the first has. */
function storeFollower({ folder, store: given }: TrainRunsOptions, views: Map<string, RunView>) {
  let store = given;
  const begun = new Set<string>();
  return {
    begin(runId: string) {
      store ??= openIfThere(folder);
      if (store?.runs().some(({ id }) => id === runId)) begun.add(runId);
    },
    read() {
      for (const runId of begun) {
        const view = afterSummary(views.get(runId)!, store!.run(runId));
        views.set(runId, view);
        if (view.status !== "running") begun.delete(runId);
      }
    },
    close() {
      if (given === undefined) store?.close();
    },
  };
}

/** A run refused for its data leaves no store to read. */
function openIfThere(folder: string): RunStore | undefined {
  try {
    return openStore(folder, { readOnly: true });
  } catch {
    return undefined;
  }
}
