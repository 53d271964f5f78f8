import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "../errors.js";
import { writeWhole } from "../write-whole.js";
import type { SweepPlan } from "./plan.js";

/** Where a sweep keeps what it needs to go on: any machine that trains its runs must see the folder. */
export const sweepFile = (folder: string) => join(folder, "sweep.json");
/** Everything that a run has told, one event a line. */
export const logFile = (folder: string, runId: string) => join(folder, "runs", `${runId}.jsonl`);
export const checkpointFile = (folder: string, runId: string) => join(folder, "runs", `${runId}.safetensors`);

/** Makes the folder and writes down what is planned. */
export function writeSweep(folder: string, plan: SweepPlan): void {
  mkdirSync(join(folder, "runs"), { recursive: true });
  writeWhole(sweepFile(folder), Buffer.from(JSON.stringify({ ...plan, createdAt: Date.now() }, null, 1)));
}

/**
 * The plan of the sweep in a folder.
 *
 * @throws BadInput if there is none, or it cannot be read.
 */
export function readSweep(folder: string): SweepPlan {
  const path = sweepFile(folder);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as SweepPlan;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput(`${path}: ${code === undefined ? "is damaged" : `there is no sweep here (${code})`}.`);
  }
}
