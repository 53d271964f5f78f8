import type { GridResult } from "./run-grid.js";

/** The settings of the runs that diverged, for a figure to say what it leaves out. */
export const divergedSettings = (runs: readonly GridResult[]): { learningRate: number; batchSize: number }[] =>
  runs
    .filter(({ status }) => status === "diverged")
    .map(({ learningRate, batchSize }) => ({ learningRate, batchSize }));
