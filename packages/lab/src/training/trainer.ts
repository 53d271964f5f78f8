import { compile, sgd, tensor, trainingLoop, updateState, type Graph, type UpdateRule } from "@sedge/autodiff";
import type { Augmentation } from "../data/augmentation.js";
import type { Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { sizeOf, type Params, type ParamSpec } from "../models/model.js";
import type { MinibatchStream } from "../sampling/minibatch-stream.js";

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

/** What a number of updates did. */
export interface Advance {
  /** Minibatch losses, each before its update, in order. A diverged run's last one is the non-finite one. */
  readonly losses: Float32Array;
  /** Set if the loss at this step was not finite, or beyond the limit. The trainer then stands at its last good weights. */
  readonly divergedAt?: number;
}

/** The share of a new batch in the running statistics: PyTorch's momentum of batch normalisation. */
const statisticsShare = 0.1;

/** Training inside one ONNX `Loop`: every call makes many steps, and nothing runs in JavaScript for each. */
export interface Trainer {
  /** Updates made so far. */
  readonly step: number;
  /** Weights and running statistics after `step` updates. Never written to afterwards: each call makes new ones. */
  readonly params: Params;
  /** All that the loop carries: parameters, running statistics, and the optimiser's memory of each parameter. */
  readonly carried: Params;
  /** Makes `steps` updates. How a run is cut into calls changes nothing in its results, to the last bit. */
  advance(steps: number): Promise<Advance>;
  /**
   * Takes the last update back, when the weights it led to turn out not to be finite: the end of a run, because the
   * minibatches have moved on. At the start: does nothing.
   */
  retreat(): Promise<void>;
  dispose(): Promise<void>;
}

export async function openTrainer(options: TrainerOptions): Promise<Trainer> {
  const { objective, specs, split, batchSize, minibatches, learningRate, threads = 1 } = options;
  const { update = sgd(), statistics = [], clipNorm, accumulate = 1, augmentation } = options;
  const names = specs.map(({ name }) => name);
  const visible = [...specs, ...statistics];
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
  const carriedSpecs: readonly ParamSpec[] = [...visible, ...memory];
  const session = await compile(loop, { threads });
  const data = { x: split.inputs, y: split.targets };

  let step = options.resume?.step ?? 0;
  let carried: Params = options.resume?.carried ?? {
    ...options.params,
    ...Object.fromEntries(memory.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
  };
  for (const { name, shape } of carriedSpecs) {
    const given = carried[name]?.length ?? 0;
    if (given !== sizeOf(shape)) {
      await session.dispose();
      throw new BadInput(`train: expected ${sizeOf(shape)} numbers for "${name}", got ${given}: of another model.`);
    }
  }
  /** The call that led here, to find the weights before its last update again. */
  let before: { readonly step: number; readonly carried: Params; readonly indices: Int32Array } | null = null;

  async function run(
    start: number,
    from: Params,
    indices: Int32Array,
  ): Promise<{ losses: Float32Array; after: Params }> {
    const steps = indices.length / batchSize;
    const shape = accumulate === 1 ? [steps, batchSize] : [steps, accumulate, batchSize / accumulate];
    const perStep = (value: (step: number) => number) =>
      Float32Array.from({ length: steps }, (_, i) => value(start + i));
    const outputs = await session.run({
      ...from,
      ...data,
      indices: tensor(indices, shape, "int64"),
      learningRate: perStep(learningRate),
      ...Object.fromEntries(Object.entries(update.perStep ?? {}).map(([name, value]) => [name, perStep(value)])),
      ...augmentation?.draws(start, steps, shape),
    });
    const after = Object.fromEntries(carriedSpecs.map(({ name }) => [name, outputs[name]!.data as Float32Array]));
    return { losses: outputs["loss"]!.data as Float32Array, after };
  }

  async function retreat(): Promise<void> {
    if (before === null) return;
    const { indices } = before;
    ({ step, carried } = before);
    before = null;
    const steps = indices.length / batchSize - 1;
    if (steps === 0) return;
    carried = (await run(step, carried, indices.subarray(0, steps * batchSize))).after;
    step += steps;
  }

  return {
    get step() {
      return step;
    },
    get params() {
      return Object.fromEntries(visible.map(({ name }) => [name, carried[name]!]));
    },
    get carried() {
      return carried;
    },
    async advance(steps) {
      if (steps === 0) return { losses: new Float32Array(0) };
      const indices = minibatches.next(steps);
      const { losses, after } = await run(step, carried, indices);
      const last = losses.length - 1;
      if (losses.length === steps && isGood(losses[last]!)) {
        before = { step, carried, indices };
        carried = after;
        step += steps;
        return { losses };
      }
      const divergedAt = step + last;
      if (last === 0) {
        await retreat();
      } else if (last > 1) {
        // The weights at `divergedAt` gave a bad loss, those one update earlier still a good one. Repeating the steps
        // up to there finds them, which costs nothing while all goes well.
        carried = (await run(step, carried, indices.subarray(0, (last - 1) * batchSize))).after;
        step += last - 1;
      }
      return { losses, divergedAt };
    },
    retreat,
    dispose: () => session.dispose(),
  };
}

const isGood = (loss: number) => Math.abs(loss) <= divergenceLimit; // false for NaN
