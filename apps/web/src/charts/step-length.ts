import type { RunSummary } from "../api/types.js";
import type { XAxis } from "../view/view-state.js";

/** How far one step of a run reaches along a horizontal axis that counts updates. NaN where the run does not say. */
export function stepLength({ config }: Pick<RunSummary, "config">, axis: Exclude<XAxis, "time">): number {
  const { learningRate = NaN, batchSize = NaN, data } = config;
  switch (axis) {
    case "step":
      return 1;
    case "epoch":
      return batchSize / (data?.examples ?? NaN);
    case "training-time":
      return learningRate;
  }
}
