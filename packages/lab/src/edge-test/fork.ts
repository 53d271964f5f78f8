import { createRandom } from "@sedge/linalg";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { Dataset } from "../data/dataset.js";
import type { Model } from "../models/model.js";
import { trainingObjective } from "../objectives/objective.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import { optimizerOf, updateRule } from "../training/optimizer.js";
import { openTrainer } from "../training/trainer.js";

export interface ForkOptions {
  readonly checkpoint: Checkpoint;
  readonly dataset: Dataset;
  readonly model: Model;
  /** Held for all steps. */
  readonly learningRate: number;
  readonly batchSize: number;
  readonly steps: number;
  /** Of the minibatches. */
  readonly seed: number;
  /** Full-set loss of the checkpoint. */
  readonly startLoss: number;
  readonly signal?: AbortSignal | undefined;
}

/** Windows that a fork's losses are averaged over. */
const windows = 16;
/** Growth of a window's mean loss that counts as blowing up. */
export const blowUpGrowth = 2;

/**
 * Whether a short run from a checkpoint blows up: whether its minibatch loss, averaged over any sixteenth of its steps,
 * comes to twice the training loss that it started from, or is no number.
 *
 * Inside both edges the expected loss of the linearised model does not grow, outside it grows without bound: a doubling
 * tells the two apart, and a network that sets itself right again afterwards has still been past the edge.
 */
export async function blowsUp(options: ForkOptions): Promise<boolean> {
  const { checkpoint, dataset, model, learningRate, batchSize, steps, seed, startLoss, signal } = options;
  const { config } = checkpoint;
  const trainer = await openTrainer({
    objective: trainingObjective(model, config.loss, { labelSmoothing: config.labelSmoothing ?? 0 }),
    specs: model.params,
    statistics: model.statistics ?? [],
    params: {},
    split: dataset.train,
    batchSize,
    update: updateRule(optimizerOf(config)),
    clipNorm: config.clipNorm,
    minibatches: minibatchStream({
      ...{ examples: dataset.train.examples, batchSize, sampling: config.sampling },
      random: createRandom(config.seed).fork("edge-test").fork(seed),
    }),
    learningRate: () => learningRate,
    threads: config.threads,
    resume: checkpoint,
  });
  try {
    const each = Math.max(1, Math.ceil(steps / windows));
    for (let made = 0; made < steps; made += each) {
      signal?.throwIfAborted();
      const { losses, divergedAt } = await trainer.advance(Math.min(each, steps - made));
      if (divergedAt !== undefined) return true;
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      if (!(mean <= blowUpGrowth * startLoss)) return true;
    }
    return false;
  } finally {
    await trainer.dispose();
  }
}
