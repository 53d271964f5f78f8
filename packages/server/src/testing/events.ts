import type { MetricsRecorded, RunFinished } from "@sedge/lab";
import { onTestFinished } from "vitest";
import type { StoredRunStarted } from "../store/events.js";
import { openStore, type RunStore, type StoreOptions } from "../store/store.js";
import { temporaryFolder } from "./temporary-folder.js";

const time = Date.UTC(2026, 0, 1);

export function runStarted(runId: string, changes: Partial<StoredRunStarted> = {}): StoredRunStarted {
  const config = { seed: 0, learningRate: 0.01, batchSize: 1 };
  const model = { paramCount: 118_282, description: "MLP 784-128-128-10 tanh" };
  return { type: "run-started", runId, time, name: `run ${runId}`, config, steps: 1000, model, ...changes };
}

export function metrics(runId: string, step: number, values: Record<string, number>): MetricsRecorded {
  return { type: "metrics", runId, time: time + step, step, values };
}

export function runFinished(runId: string, changes: Partial<RunFinished> = {}): RunFinished {
  return { type: "run-finished", runId, time: time + 5000, step: 1000, status: "finished", ...changes };
}

/** A store that is closed when the test ends; in a folder of its own unless one is given. */
export function testStore(folder: string = temporaryFolder(), options: StoreOptions = {}): RunStore {
  const store = openStore(folder, options);
  onTestFinished(() => store.close());
  return store;
}
