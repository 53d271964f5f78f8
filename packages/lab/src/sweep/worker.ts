/**
 * The program that trains the runs of a sweep. Started by the local scheduler it takes groups over Node's channel, one at
 * a time, until the channel closes; with the name of a task's file (`worker.js FOLDER TASK.json`) it works that off.
 * It ends with 0 also where runs failed: their logs say so.
 */
import { readFileSync, rmSync } from "node:fs";
import { executeGroup } from "./execute.js";
import type { PlannedRun } from "./plan.js";
import { checkpointFile } from "./run-files.js";
import type { SweepTask } from "./scheduler/scheduler.js";

/** From the scheduler. */
export type ToWorker = {
  readonly type: "run";
  readonly folder: string;
  readonly group: readonly PlannedRun[];
};
/** To the scheduler. */
export type FromWorker = { readonly type: "ready" } | { readonly type: "done" };

let busy = false;
const stop = new AbortController();
// A job that is cancelled gets SIGTERM some time before it is killed; Ctrl-C reaches every process of a terminal's group.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

const [folder, taskFile] = process.argv.slice(2);
if (folder !== undefined && taskFile !== undefined) {
  const task = JSON.parse(readFileSync(taskFile, "utf8")) as SweepTask;
  // Slurm begins a task again when its node is gone: what held its runs is gone too, which no other node can see.
  if (Number(process.env["SLURM_RESTART_COUNT"] ?? 0) > 0) {
    for (const { id } of task.groups.flat()) rmSync(`${checkpointFile(folder, id)}.lock`, { force: true });
  }
  for (const group of task.groups) await executeGroup(group, { folder, signal: stop.signal });
  process.exit(stop.signal.aborted ? 130 : 0);
} else {
  process.on("disconnect", () => {
    stop.abort();
    if (!busy) process.exit(0);
  });
  process.on("message", (message: ToWorker) => void take(message));
  tell({ type: "ready" });
}

async function take({ folder: place, group }: ToWorker): Promise<void> {
  busy = true;
  await executeGroup(group, { folder: place, signal: stop.signal });
  busy = false;
  if (!process.connected) process.exit(0);
  tell({ type: "done" });
}

function tell(message: FromWorker): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
