import { existsSync } from "node:fs";
import { BadInput, checkpointPath, parseTrainConfig } from "@sedge/lab";
import type { RunSummary } from "@sedge/server";
import type { Job } from "./train-runs.js";

/** Whether `--resume` would go on with a run: it did not come to its end, and has a checkpoint. */
export const canGoOn = ({ id, status }: Pick<RunSummary, "id" | "status">, folder: string): boolean =>
  (status === "interrupted" || status === "failed") && existsSync(checkpointPath(folder, id));

/**
 * The job that goes on with a run of the store.
 *
 * @param folder  Of the store.
 * @throws BadInput that says why the run cannot go on, and what can be done.
 */
export function resumeJob({ id, name, status, step, steps, config, message }: RunSummary, folder: string): Job {
  const path = checkpointPath(folder, id);
  const refuse = (why: string): never => {
    throw new BadInput(`--resume: run ${id} (${name}) ${why}`);
  };
  if (status === "running") refuse("is being trained by another process. Stop that one first, or wait for it.");
  if (status !== "interrupted" && status !== "failed") {
    const reason = message === null ? "" : ` (${message})`;
    refuse(`has ended as ${status} at step ${step} of ${steps}${reason}: there is nothing to go on with.`);
  }
  if (!existsSync(path)) {
    refuse(`has no checkpoint, ${path}: it ended before the first was saved, or was trained by another program.`);
  }
  return { label: name, config: parseTrainConfig(config, `run ${id}`), resume: id };
}
