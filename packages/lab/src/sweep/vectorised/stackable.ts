import type { TrainConfig } from "../../config/train-config.js";

/**
 * What runs must agree on to train in one graph; undefined for a run that has to train alone. They may differ in seed,
 * learning rate, schedule, momentum and weight decay.
 */
export function stackKey(config: TrainConfig): string | undefined {
  const { model, optimizer, clipNorm, accumulate = 1, data, probes } = config;
  const plainSgd = optimizer === undefined || (optimizer.kind === "sgd" && optimizer.nesterov !== true);
  const augmented = data.augment !== undefined && (data.augment.crop > 0 || data.augment.flip);
  if (model.kind !== "mlp" || !plainSgd || clipNorm !== undefined || accumulate > 1) return undefined;
  if (augmented || probes.process === "separate") return undefined;
  const own: readonly string[] = ["name", "seed", "learningRate", "schedule", "momentum", "weightDecay"];
  const shared = Object.entries(config).filter(([key, value]) => !own.includes(key) && value !== undefined);
  return JSON.stringify(shared.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Most rows of a block: beyond that its products of rows among themselves cost more than they save. */
const mostRows = 32;

/**
 * Steps of a block, over which the first layer's updates are delayed; 1 for none. Decided by each run's own settings and
 * not by the runs beside it, because it decides the order of summation.
 */
export function blockSpan({ batchSize, momentum, weightDecay }: TrainConfig, inputs: number): number {
  const span = Math.floor(mostRows / batchSize);
  return momentum === 0 && weightDecay === 0 && span >= 4 && inputs >= 4 * mostRows ? span : 1;
}
