import { compile, sgd, tensor, trainingLoop, updateState, type Graph, type UpdateRule } from "@sedge/autodiff";
import type { Augmentation } from "../data/augmentation.js";
import type { Split } from "../data/dataset.js";
import type { Params, ParamSpec } from "../models/model.js";
import type { MinibatchStream } from "../sampling/minibatch-stream.js";
import type { Pacer } from "./pacing.js";

/** A loss beyond this, or none at all, ends a run as diverged: float32 has a few more powers of ten to go. */
export const divergenceLimit = 1e30;

export interface TrainerOptions {
  /** With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over the batch. */
  readonly objective: Graph;
  readonly specs: readonly ParamSpec[];
  readonly params: Params;
  readonly split: Split;
  readonly batchSize: number;
  readonly minibatches: MinibatchStream;
  /** Of the update from step t to t + 1. */
  readonly learningRate: (step: number) => number;
  /** Default plain SGD. */
  readonly update?: UpdateRule;
  /** Running statistics: inputs of the objective that follow its outputs `batch/NAME`. Their values are in `params`. */
  readonly statistics?: readonly ParamSpec[];
  /** Longest gradient over all parameters. Default any. */
  readonly clipNorm?: number | undefined;
  /** Parts in which a minibatch is computed, one after another. Divides B. Default 1. */
  readonly accumulate?: number | undefined;
  /** Of the minibatches. Default none. */
  readonly augmentation?: Augmentation | undefined;
  readonly threads?: number;
  /** To go on from `step` and `carried` of another trainer, instead of step 0 and `params`. */
  readonly resume?: { readonly step: number; readonly carried: Params } | undefined;
}

/** A number of steps, from known weights with known minibatches. */
export interface LoopCall {
  /** Updates made before. */
  readonly step: number;
  /** What the loop carries, not written to. */
  readonly carried: Params;
  /** Row-major [steps, B]. */
  readonly indices: Int32Array;
  /** B, where a controller has changed it. Default that of the options. */
  readonly batchSize?: number;
}

export interface LoopResult {
  /** Minibatch losses, each before its update; those after one that is no loss any more may be missing. */
  readonly losses: Float32Array;
  /** What the loop carries after all steps. */
  readonly after: Params;
  /** Wall time that counts as this run's, where the call made steps of others too. */
  readonly milliseconds?: number;
}

/** What makes a run's steps: pure, so that any steps can be repeated. */
export interface LoopEngine {
  /** Parameters, running statistics, and the optimiser's memory of each parameter, which starts at zero. */
  readonly carried: readonly ParamSpec[];
  run(call: LoopCall): Promise<LoopResult>;
  /** A pacer for a run that is not alone, which says where it stands. */
  readonly paceFrom?: (step: () => number) => Pacer;
  readonly exclusively?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  dispose(): Promise<void>;
}

/** Opens what makes a run's steps. */
export type OpenEngine = (options: TrainerOptions) => Promise<LoopEngine>;

/** The share of a new batch in the running statistics: PyTorch's momentum of batch normalisation. */
const statisticsShare = 0.1;

/** A training loop of one run. */
export async function openLoopEngine(options: TrainerOptions): Promise<LoopEngine> {
  const { objective, specs, split, learningRate, threads = 1 } = options;
  const { update = sgd(), statistics = [], clipNorm, accumulate = 1, augmentation } = options;
  const names = specs.map(({ name }) => name);
  const loop = trainingLoop(objective, {
    loss: "loss",
    params: names,
    data: ["x", "y"],
    update,
    stopAbove: divergenceLimit,
    parts: accumulate,
    ...(clipNorm !== undefined && { clipNorm }),
    ...(augmentation && { prepare: augmentation.preparation }),
    follow: Object.fromEntries(
      statistics.map(({ name }) => [name, { output: `batch/${name}`, share: statisticsShare }]),
    ),
  });
  const memory = Object.entries(updateState(loop, names)).map(([name, shape]) => ({ name, shape: shape as number[] }));
  const carriedSpecs: readonly ParamSpec[] = [...specs, ...statistics, ...memory];
  const session = await compile(loop, { threads });
  const data = { x: split.inputs, y: split.targets };

  return {
    carried: carriedSpecs,
    async run({ step: start, carried, indices, batchSize = options.batchSize }) {
      const steps = indices.length / batchSize;
      const shape = accumulate === 1 ? [steps, batchSize] : [steps, accumulate, batchSize / accumulate];
      const perStep = (value: (step: number) => number) =>
        Float32Array.from({ length: steps }, (_, i) => value(start + i));
      const outputs = await session.run({
        ...Object.fromEntries(carriedSpecs.map(({ name }) => [name, carried[name]!])),
        ...data,
        indices: tensor(indices, shape, "int64"),
        learningRate: perStep(learningRate),
        ...Object.fromEntries(Object.entries(update.perStep ?? {}).map(([name, value]) => [name, perStep(value)])),
        ...augmentation?.draws(start, steps, shape),
      });
      const after = Object.fromEntries(carriedSpecs.map(({ name }) => [name, outputs[name]!.data as Float32Array]));
      return { losses: outputs["loss"]!.data as Float32Array, after };
    },
    dispose: () => session.dispose(),
  };
}
