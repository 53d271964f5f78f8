import { join } from "node:path";
import { runSweep, type SweepOptions, type SweepPlan, type SweepResult } from "@sedge/lab";
import { withStore } from "../store-option.js";
import { storeSweepSink } from "./store-sink.js";

/** Where a sweep of a store keeps its plan, logs and checkpoints. */
export const sweepFolder = (store: string, name: string): string => join(store, "sweeps", name);

/** Trains the runs of a sweep that are not trained yet and writes what they measure to the store, whose folder is made. */
export const sweepIntoStore = (
  folder: string,
  plan: SweepPlan,
  options: Omit<SweepOptions, "folder" | "sinks">,
): Promise<SweepResult> =>
  withStore(folder, { readOnly: false }, (store) =>
    runSweep(plan, {
      ...options,
      folder: sweepFolder(store.folder, plan.name),
      sinks: [storeSweepSink(store, plan.name)],
    }),
  );
