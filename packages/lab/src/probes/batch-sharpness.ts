import { openBatchSharpness } from "../curvature/neighbours/batch-sharpness.js";
import type { Probe } from "./probe.js";

/**
 * Records `batchSharpness`, E_B[gᵀHg/‖g‖²] over minibatches such as the run's own, with `batchSharpness/standardError`, and
 * `edge/batch` = η · batchSharpness / 2.
 */
export function batchSharpnessProbe(): Probe {
  return {
    name: "batchSharpness",
    async open({ model, objective, dataset: { train }, sgd: { batchSize: planned, sampling }, random, threads }) {
      const estimator = await openBatchSharpness(objective, model.params, { threads });
      return {
        async observe({ step, params, learningRate, batchSize = planned, signal }) {
          const { value, standardError } = await estimator.measure(params, train, {
            batchSize,
            // Single minibatches of a shuffled epoch are drawn without replacement.
            sampling: sampling === "with-replacement" ? sampling : "without-replacement",
            random: random.fork(step),
            signal,
          });
          return {
            batchSharpness: value,
            "batchSharpness/standardError": standardError,
            "edge/batch": (learningRate * value) / 2,
          };
        },
        close: () => estimator.dispose(),
      };
    },
  };
}
