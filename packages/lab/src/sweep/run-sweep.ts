import { join } from "node:path";
import { lockCheckpoint } from "../checkpoint/checkpoint-lock.js";
import { openCollector, type RunState, type SweepSink } from "./collector.js";
import { finished } from "./execute.js";
import { groupRuns } from "./groups.js";
import { planSweep, type PlannedRun, type SweepPlan } from "./plan.js";
import { logFile, writeSweep } from "./run-files.js";
import { isDone, openRunLog } from "./run-log.js";
import { localScheduler } from "./scheduler/local.js";
import type { Scheduler, Submission, SweepTask, TaskEvent } from "./scheduler/scheduler.js";
import { sweepProgress, type SweepProgress } from "./progress.js";
import type { SweepConfig } from "./sweep-config.js";
import type { RunStatus } from "../run/events.js";

export interface SweepOptions {
  /** The sweep's own: plan, event logs, checkpoints. What it holds of these runs is gone on from. */
  readonly folder: string;
  /** Default worker processes on this machine. */
  readonly scheduler?: Scheduler;
  /** Get every run's events beside the logs. Not closed. */
  readonly sinks?: readonly SweepSink[];
  /** Ends the sweep soon, so that it can be gone on with. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SweepProgress) => void;
  readonly onTask?: (event: TaskEvent) => void;
}

export interface SweptRun extends PlannedRun {
  /** undefined for one that has not begun. */
  readonly status: RunStatus | undefined;
  readonly step: number;
  readonly message: string | undefined;
  /** The last value of each metric. */
  readonly latest: Readonly<Record<string, number>>;
  /** Every metric by step. */
  series(): Readonly<Record<string, { readonly steps: readonly number[]; readonly values: readonly number[] }>>;
}

export interface SweepResult {
  readonly name: string;
  /** `finished` where every run has ended, by whatever end. */
  readonly status: "finished" | "interrupted";
  /** In the order of the plan. */
  readonly runs: readonly SweptRun[];
}

const pollMilliseconds = 200;

/**
 * Trains all runs of a sweep. Those that ended in an earlier call are skipped, those that had begun go on from their
 * checkpoints, and those that failed are tried again; a run that fails does not stop the others.
 *
 * @throws BadInput if the config is at fault, the scheduler cannot be used, or another process has the sweep.
 */
export async function runSweep(given: SweepConfig | SweepPlan, options: SweepOptions): Promise<SweepResult> {
  const plan = "axes" in given ? given : planSweep(given);
  const { folder, sinks = [], signal, onProgress, onTask } = options;
  const scheduler = options.scheduler ?? localScheduler({ workers: plan.workers });
  await scheduler.check();
  writeSweep(folder, plan);
  const release = lockCheckpoint(join(folder, "sweep"));
  try {
    const collector = openCollector(folder, plan.runs, sinks);
    // Before anything is handed on: a sink takes nothing more of a run that has failed there.
    for (const { id, status } of sweepStatus(folder, plan)) if (status === "failed") collector.reset(id);
    collector.collect();
    const states = () => [...collector.states.values()];
    const progress = sweepProgress(states());
    const report = () => onProgress?.(progress(states()));
    report();
    const left = states().filter(({ status }) => !isDone(status));
    if (left.length > 0 && !signal?.aborted) {
      const tasks = tasksOf(
        left.map(({ run }) => run),
        plan,
        scheduler,
      );
      const runsOf = new Map(tasks.map(({ id, groups }) => [id, groups.flat()]));
      const onEvent = (event: TaskEvent) => {
        if (event.type === "task-failed") failUnended(folder, runsOf.get(event.task) ?? [], event.reason);
        onTask?.(event);
      };
      const submission = await scheduler.submit(tasks, { folder, sweep: plan.name, onEvent });
      await follow(submission, signal, () => {
        if (collector.collect()) report();
      });
    }
    collector.collect();
    report();
    const runs = plan.runs.map((run) => sweptRun(collector.states.get(run.id)!));
    const ended = runs.every(({ status }) => isDone(status) || status === "failed");
    return { name: plan.name, status: ended ? "finished" : "interrupted", runs };
  } finally {
    release();
  }
}

/** Reads the logs until nothing is out any more, or the signal comes. */
async function follow(submission: Submission, signal: AbortSignal | undefined, read: () => void): Promise<void> {
  const timer = setInterval(read, pollMilliseconds);
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", onAbort, { once: true });
  });
  try {
    await Promise.race([submission.done, aborted]);
    if (signal?.aborted) await submission.detach();
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function tasksOf(runs: readonly PlannedRun[], plan: SweepPlan, scheduler: Scheduler): SweepTask[] {
  const groups = groupRuns(runs, { vectorise: plan.vectorise, workers: scheduler.workers ?? 1 });
  const most = plan.runsPerTask ?? scheduler.runsPerTask(runs.length);
  const tasks: PlannedRun[][][] = [];
  for (const group of groups) {
    const last = tasks.at(-1);
    if (last !== undefined && last.flat().length + group.length <= most) last.push(group);
    else tasks.push([group]);
  }
  return tasks.map((own, i) => ({ id: String(i), groups: own }));
}

/** A task was given up: its runs that have not ended have failed. */
function failUnended(folder: string, runs: readonly PlannedRun[], reason: string): void {
  for (const { id } of runs) {
    const log = openRunLog(logFile(folder, id));
    if (!isDone(log.status) && log.status !== "failed") log.write(finished(id, "failed", reason));
    void log.close?.();
  }
}

function sweptRun({ run, status, step, message, latest, series }: RunState): SweptRun {
  return { ...run, status, step, message, latest, series: () => series };
}

/** How the sweep in a folder stands, whether or not anything of it is running. */
export function sweepStatus(folder: string, plan: SweepPlan): SweptRun[] {
  const collector = openCollector(folder, plan.runs, []);
  collector.collect();
  return plan.runs.map(({ id }) => sweptRun(collector.states.get(id)!));
}
