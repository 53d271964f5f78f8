import type { PlannedRun } from "../plan.js";

/** A unit of work that runs on one machine. */
export interface SweepTask {
  readonly id: string;
  /** One after another; the runs of a group train together. */
  readonly groups: readonly (readonly PlannedRun[])[];
}

export type TaskState = "waiting" | "running" | "done" | "failed";

/** What is said of a task while it is out. What its runs measure is in their logs. */
export type TaskEvent =
  | { readonly type: "task-started"; readonly task: string; readonly where: string }
  /** It lost its machine or process and will be, or has been, begun again. */
  | { readonly type: "task-retried"; readonly task: string; readonly reason: string }
  /** Given up: runs of it that have not ended have failed, for this reason. */
  | { readonly type: "task-failed"; readonly task: string; readonly reason: string }
  | { readonly type: "task-done"; readonly task: string };

export interface SubmitOptions {
  /** The sweep's folder, which every machine that runs tasks must see under this path. */
  readonly folder: string;
  readonly sweep: string;
  readonly onEvent: (event: TaskEvent) => void;
}

/** Tasks that have been handed over. */
export interface Submission {
  /** By task. */
  status(): Promise<Readonly<Record<string, TaskState>>>;
  /** Stops all tasks; their runs keep their checkpoints. */
  cancel(): Promise<void>;
  /**
   * Lets go: this process will not wait any more. Tasks that need it are stopped, as by `cancel`; those that do not go
   * on, and are found again by the next `submit` in the same folder.
   */
  detach(): Promise<void>;
  /** Resolves when no task is out any more. */
  readonly done: Promise<void>;
}

/**
 * Where a sweep's tasks run. A task is executed by the program `sweep/worker.js` (`executeGroup` for each of its groups),
 * on any machine that sees the sweep's folder; whatever happens to a run is in the folder, so a scheduler only starts,
 * restarts and stops tasks. An engine for Kubernetes or a cloud would implement this and nothing else.
 */
export interface Scheduler {
  /** For people: `local`, `slurm`. */
  readonly name: string;
  /** Tasks that can run at the same time; undefined where nobody knows. */
  readonly workers: number | undefined;
  /** Runs that a task should have, of so many in all. */
  runsPerTask(runs: number): number;
  /**
   * Whether it can be used, before anything is written.
   *
   * @throws BadInput naming what is missing.
   */
  check(): Promise<void>;
  submit(tasks: readonly SweepTask[], options: SubmitOptions): Promise<Submission>;
}
