import { openDataset } from "../../data/open-dataset.js";
import type { TrainConfig } from "../../config/train-config.js";
import type { Dataset } from "../../data/dataset.js";
import { modelFromConfig } from "../../models/model-from-config.js";
import { train, type TrainOptions, type TrainResult } from "../../training/train.js";
import { openSharedLoop } from "./shared-loop.js";

/** One of the runs, with what `train` would be given for it. */
export interface TogetherRun {
  readonly config: TrainConfig;
  readonly options?: Omit<TrainOptions, "dataset" | "model" | "openEngine">;
}

/**
 * Trains several runs in one graph, which is faster the smaller the network. Each has the events, the probes, the
 * checkpoint and the result that `train` gives it, up to float32 rounding: its minibatches and initial weights are the
 * same, sums are added in another order. `speed/stepsPerSecond` is by a run's own share of the time.
 *
 * @param runs     Of one `stackKey`, and one `blockSpan`.
 * @param dataset  Default: the one that the configs name.
 * @returns In the order given; a run that failed does not stop the others.
 */
export async function trainTogether(
  runs: readonly TogetherRun[],
  dataset?: Dataset,
): Promise<PromiseSettledResult<TrainResult>[]> {
  const [{ config }] = runs as [TogetherRun, ...TogetherRun[]];
  const data = dataset ?? (await openDataset(config.data));
  const model = modelFromConfig(config.model, data, "sgd");
  const shared = openSharedLoop(
    runs.map((run) => run.config),
    model,
    data.train,
  );
  try {
    return await Promise.allSettled(
      runs.map(async (run, place) => {
        try {
          const openEngine = () => shared.join(place);
          return await train(run.config, { ...run.options, dataset: data, model, openEngine });
        } finally {
          shared.leave(place);
        }
      }),
    );
  } finally {
    await shared.dispose();
  }
}
