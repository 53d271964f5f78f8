import type { TrainConfig } from "../config/train-config.js";
import type { Dataset } from "../data/dataset.js";
import type { Model } from "../models/model.js";
import { objective } from "../objectives/objective.js";
import type { ProbeContext } from "../probes/probe.js";
import { optimizerOf } from "./optimizer.js";

/** What all probes of a run are told of it: the same in whichever process they measure. */
export function probeContextOf(
  config: TrainConfig,
  dataset: Dataset,
  model: Model,
): Omit<ProbeContext, "random" | "memory"> {
  const { loss, batchSize, sampling, momentum, weightDecay, threads, labelSmoothing = 0 } = config;
  return {
    model,
    objective: objective(model, loss, { labelSmoothing }),
    loss,
    dataset,
    sgd: { examples: dataset.train.examples, batchSize, sampling, momentum, weightDecay },
    optimizer: optimizerOf(config),
    threads,
  };
}
