import { BadInput } from "../errors.js";
import { sizeOf, type Params } from "../models/model.js";
import {
  divergenceLimit,
  openLoopEngine,
  type LoopCall,
  type LoopEngine,
  type OpenEngine,
  type TrainerOptions,
} from "./loop-engine.js";
import type { Pacer } from "./pacing.js";

export { divergenceLimit, type OpenEngine, type TrainerOptions } from "./loop-engine.js";

/** What a number of updates did. */
export interface Advance {
  /** Minibatch losses, each before its update, in order. A diverged run's last one is the non-finite one. */
  readonly losses: Float32Array;
  /** Set if the loss at this step was not finite, or beyond the limit. The trainer then stands at its last good weights. */
  readonly divergedAt?: number;
  /** Wall time that counts as this run's, where that is not all that passed. */
  readonly milliseconds?: number;
}

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
  /** Goes on from what was carried at an earlier step. The minibatches are whoever calls's to take back. */
  rewind(to: { readonly step: number; readonly carried: Params }): void;
  /** Chooses the steps of a call, where the run is not alone in it. */
  readonly pace?: Pacer | undefined;
  /** Does work that other runs of this process must not come between, where there are any. */
  readonly exclusively?: LoopEngine["exclusively"];
  dispose(): Promise<void>;
}

/** @param openEngine  Default: a loop of the run's own. */
export async function openTrainer(options: TrainerOptions, openEngine: OpenEngine = openLoopEngine): Promise<Trainer> {
  const { specs, minibatches, statistics = [] } = options;
  const visible = [...specs, ...statistics];
  const engine = await openEngine(options);
  let step = options.resume?.step ?? 0;
  let carried: Params = options.resume?.carried ?? {
    ...Object.fromEntries(engine.carried.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
    ...options.params,
  };
  for (const { name, shape } of engine.carried) {
    const given = carried[name]?.length ?? 0;
    if (given !== sizeOf(shape)) {
      await engine.dispose();
      throw new BadInput(`train: expected ${sizeOf(shape)} numbers for "${name}", got ${given}: of another model.`);
    }
  }
  /** The call that led here, to find the weights before its last update again. */
  let before: (LoopCall & { readonly batchSize: number }) | null = null;

  async function retreat(): Promise<void> {
    if (before === null) return;
    const { indices, batchSize } = before;
    ({ step, carried } = before);
    before = null;
    const steps = indices.length / batchSize - 1;
    if (steps === 0) return;
    carried = (await engine.run({ step, carried, batchSize, indices: indices.subarray(0, steps * batchSize) })).after;
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
      const batchSize = indices.length / steps;
      const { losses, after, milliseconds } = await engine.run({ step, carried, indices, batchSize });
      const time = milliseconds === undefined ? {} : { milliseconds };
      const last = losses.length - 1;
      if (losses.length === steps && isGood(losses[last]!)) {
        before = { step, carried, indices, batchSize };
        carried = after;
        step += steps;
        return { losses, ...time };
      }
      const divergedAt = step + last;
      if (last === 0) {
        await retreat();
      } else if (last > 1) {
        // The weights at `divergedAt` gave a bad loss, those one update earlier still a good one. Repeating the steps
        // up to there finds them, which costs nothing while all goes well.
        const good = indices.subarray(0, (last - 1) * batchSize);
        carried = (await engine.run({ step, carried, indices: good, batchSize })).after;
        step += last - 1;
      }
      return { losses, divergedAt, ...time };
    },
    retreat,
    rewind(to) {
      ({ step, carried } = to);
      before = null;
    },
    pace: engine.paceFrom?.(() => step),
    exclusively: engine.exclusively,
    dispose: () => engine.dispose(),
  };
}

const isGood = (loss: number) => Math.abs(loss) <= divergenceLimit; // false for NaN
