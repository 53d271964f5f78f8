import { existsSync, rmSync } from "node:fs";
import type { TrainConfig } from "../config/train-config.js";
import type { Dataset } from "../data/dataset.js";
import { openDataset } from "../data/open-dataset.js";
import type { RunEvent } from "../run/events.js";
import { train } from "../training/train.js";
import type { PlannedRun } from "./plan.js";
import { checkpointFile, logFile } from "./run-files.js";
import { isDone, openRunLog } from "./run-log.js";
import { trainTogether } from "./vectorised/train-together.js";

export interface ExecuteOptions {
  /** The sweep's. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Seconds between checkpoints. Default as `train` has it. */
  readonly checkpointSeconds?: number;
}

/**
 * Trains a group of runs to their ends, together if there are several: those that have ended are left out, those that
 * have a checkpoint go on from it. Whatever happens to a run is in its log, a failure too; none stops the others.
 */
export async function executeGroup(runs: readonly PlannedRun[], options: ExecuteOptions): Promise<void> {
  const { folder, signal, checkpointSeconds: everySeconds } = options;
  const open = runs.map((run) => ({ run, log: openRunLog(logFile(folder, run.id)) }));
  const left = open.filter(({ log }) => !isDone(log.status));
  const fail = ({ run, log }: (typeof open)[number], error: unknown) => {
    if (log.status === "running" || log.status === undefined || log.status === "interrupted") {
      const message = error instanceof Error ? error.message : String(error);
      log.write(finished(run.id, "failed", message));
    }
  };
  try {
    const [first] = left;
    if (first === undefined || signal?.aborted) return;
    let dataset: Dataset;
    try {
      dataset = await datasetOf(first.run.config);
    } catch (error) {
      for (const each of left) fail(each, error);
      return;
    }
    const optionsOf = ({ run, log }: (typeof open)[number]) => ({
      runId: run.id,
      sinks: [{ write: (event: RunEvent) => log.write(event), flush: () => log.flush?.() }],
      checkpoint: checkpointOf(folder, run.id, everySeconds),
      ...(signal && { signal }),
    });
    const settled =
      left.length === 1
        ? await Promise.allSettled([train(first.run.config, { ...optionsOf(first), dataset })])
        : await trainTogether(
            left.map((each) => ({ config: each.run.config, options: optionsOf(each) })),
            dataset,
          );
    for (const [i, result] of settled.entries()) {
      if (result.status === "rejected") fail(left[i]!, result.reason);
      else if (isDone(result.value.status)) rmSync(checkpointFile(folder, left[i]!.run.id), { force: true });
    }
  } finally {
    for (const { log } of open) void log.close?.();
  }
}

function checkpointOf(folder: string, runId: string, everySeconds: number | undefined) {
  const path = checkpointFile(folder, runId);
  return { path, resume: existsSync(path), ...(everySeconds !== undefined && { everySeconds }) };
}

/** The event that ends a run in which nothing could be measured any more. */
export function finished(runId: string, status: "failed" | "interrupted", message: string): RunEvent {
  return { type: "run-finished", runId, time: Date.now(), step: 0, status, message };
}

let kept: { readonly key: string; readonly dataset: Promise<Dataset> } | undefined;

/** Runs of a sweep mostly share their data: the last set stays open. */
function datasetOf({ data }: TrainConfig): Promise<Dataset> {
  const key = JSON.stringify(data);
  if (kept?.key !== key) {
    kept = { key, dataset: openDataset(data) };
    kept.dataset.catch(() => (kept = undefined));
  }
  return kept.dataset;
}
