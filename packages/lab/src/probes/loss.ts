import { openEvaluator } from "../curvature/evaluation.js";
import type { Probe } from "./probe.js";

/** Records `loss/train`, `accuracy/train`, `loss/test` and `accuracy/test` over the whole sets. */
export function lossProbe(): Probe {
  return {
    name: "loss",
    async open({ objective, dataset, threads }) {
      const evaluator = await openEvaluator(objective, { threads });
      return {
        async observe({ params }) {
          const train = await evaluator.evaluate(params, dataset.train);
          const test = await evaluator.evaluate(params, dataset.test);
          return {
            "loss/train": train.loss,
            "loss/test": test.loss,
            "accuracy/train": train.accuracy,
            "accuracy/test": test.accuracy,
          };
        },
        close: () => evaluator.dispose(),
      };
    },
  };
}
