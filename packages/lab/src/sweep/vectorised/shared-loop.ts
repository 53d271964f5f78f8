import { compile, tensor, type Session } from "@sedge/autodiff";
import type { TrainConfig } from "../../config/train-config.js";
import type { Split } from "../../data/dataset.js";
import { breathe } from "../../event-loop.js";
import { sizeOf, type Model, type Params, type ParamSpec } from "../../models/model.js";
import { divergenceLimit, type LoopCall, type LoopEngine, type LoopResult } from "../../training/loop-engine.js";
import type { Pacer } from "../../training/pacing.js";
import { learningRateAt } from "../../training/schedule.js";
import { blockSpan } from "./stackable.js";
import { stackedLoop } from "./stacked-loop.js";

/** One loop that makes the steps of several runs. A call waits until every run that has not left asks for steps. */
export interface SharedLoop {
  join(place: number): Promise<LoopEngine>;
  /** Of a run that has ended, or never joined. */
  leave(place: number): void;
  dispose(): Promise<void>;
}

/** Wall time of a call, in milliseconds: as long as nothing else of the process runs. */
const callMilliseconds = 100;

interface Request extends LoopCall {
  readonly place: number;
  readonly steps: number;
  done: number;
  carriedNow: Params;
  readonly losses: Float32Array;
  milliseconds: number;
  readonly resolve: (result: LoopResult) => void;
  readonly reject: (error: unknown) => void;
}

export function openSharedLoop(configs: readonly TrainConfig[], model: Model, split: Split): SharedLoop {
  const [first] = configs as [TrainConfig, ...TrainConfig[]];
  const { batchSize, loss, labelSmoothing = 0, threads } = first;
  const span = Math.min(...configs.map((config) => blockSpan(config, sizeOf(model.inputShape))));
  const momentum = configs.some((config) => config.momentum !== 0);
  const weightDecay = configs.some((config) => config.weightDecay !== 0);
  const rates = configs.map(learningRateAt);
  const velocities = momentum ? model.params.map(({ name, shape }) => ({ name: `velocity/${name}`, shape })) : [];
  const stackedSpecs: readonly ParamSpec[] = [...model.params, ...velocities];

  const present = new Set(configs.keys());
  const waiting = new Map<number, Request>();
  let opening: Promise<Session> | undefined;
  let busy = false;
  let disposed = false;
  let exclusive: Promise<unknown> = Promise.resolve();
  let chunk = Math.max(32, 2 * span);
  /** The last call's outputs: arrays of all its runs, whose parts each run has. */
  let last: Params | undefined;

  const session = () =>
    (opening ??= compile(stackedLoop({ model, loss, labelSmoothing, batchSize, momentum, weightDecay, span }), {
      threads,
    }));

  /** Carried arrays of these runs, end to end: as they came out of the last call, where nothing has changed since. */
  function stack(requests: readonly Request[], name: string, size: number): Float32Array {
    const whole = last?.[name];
    const same = (request: Request, i: number) => {
      const part = request.carriedNow[name];
      return part?.buffer === whole?.buffer && part?.byteOffset === whole!.byteOffset + 4 * i * size;
    };
    if (whole?.length === requests.length * size && requests.every(same)) return whole;
    const stacked = new Float32Array(requests.length * size);
    for (const [i, { carriedNow }] of requests.entries()) {
      const part = carriedNow[name];
      if (part !== undefined) stacked.set(part, i * size); // a run without momentum has no velocity
    }
    return stacked;
  }

  /** Each run's next steps, padded to as many blocks as the longest needs. */
  function plan(requests: readonly Request[]): { counts: readonly number[]; layouts: readonly number[][] } {
    const least = Math.min(...requests.map(({ steps, done }) => steps - done));
    const counts = requests.map(({ steps, done }) => (span === 1 ? least : steps - done));
    // A run's blocks end where its step is a multiple of the span, whatever the calls, so that no call changes its sums.
    const layouts = requests.map(({ step, done }, i) => {
      const lengths: number[] = [];
      for (let at = step + done, end = at + counts[i]!; at < end;) {
        const length = Math.min(span - (at % span), end - at);
        lengths.push(length);
        at += length;
      }
      return lengths;
    });
    return { counts, layouts };
  }

  async function make(requests: readonly Request[]): Promise<void> {
    const runs = requests.length;
    const { counts, layouts } = plan(requests);
    const blocks = Math.max(...layouts.map(({ length }) => length));
    const rows = span * batchSize;
    const indices = new Int32Array(blocks * runs * rows);
    const learningRate = new Float32Array(blocks * runs * span);
    for (const [i, request] of requests.entries()) {
      let at = request.done;
      for (const [block, length] of layouts[i]!.entries()) {
        const from = request.indices.subarray(at * batchSize, (at + length) * batchSize);
        indices.set(from, (block * runs + i) * rows);
        for (let t = 0; t < length; t++) {
          learningRate[(block * runs + i) * span + t] = rates[request.place]!(request.step + at + t);
        }
        at += length;
      }
    }
    const perRun = (value: (config: TrainConfig) => number) =>
      Float32Array.from(requests, ({ place }) => value(configs[place]!));
    const loop = await session();
    const start = performance.now();
    const outputs = await loop.run({
      ...Object.fromEntries(
        stackedSpecs.map(({ name, shape }) => [name, tensor(stack(requests, name, sizeOf(shape)), [runs, ...shape])]),
      ),
      x: split.inputs,
      y: split.targets,
      indices: tensor(indices, [blocks, runs, rows], "int64"),
      learningRate: tensor(learningRate, [blocks, runs, span]),
      ...(momentum && { momentum: perRun((config) => config.momentum) }),
      ...(weightDecay && { weightDecay: perRun((config) => config.weightDecay) }),
    });
    const milliseconds = performance.now() - start;
    const most = Math.max(...counts);
    chunk = Math.max(span, Math.min(4 * chunk, Math.floor((most * callMilliseconds) / Math.max(milliseconds, 0.01))));
    const whole = Object.fromEntries(stackedSpecs.map(({ name }) => [name, outputs[name]!.data as Float32Array]));
    last = whole;
    const losses = outputs["loss"]!.data as Float32Array; // [blocks, span, runs]
    for (const [i, request] of requests.entries()) {
      for (const [block, length] of layouts[i]!.entries()) {
        for (let t = 0; t < length; t++) request.losses[request.done++] = losses[(block * span + t) * runs + i]!;
      }
      request.carriedNow = Object.fromEntries(
        stackedSpecs.map(({ name, shape }) => [
          name,
          whole[name]!.subarray(i * sizeOf(shape), (i + 1) * sizeOf(shape)),
        ]),
      );
      request.milliseconds += milliseconds / runs;
    }
  }

  async function makeIfAllWait(): Promise<void> {
    if (busy || disposed || waiting.size === 0 || waiting.size < present.size) return;
    busy = true;
    await breathe();
    const requests = [...waiting.values()].sort((a, b) => a.place - b.place);
    try {
      await make(requests);
      for (const request of requests) if (request.done === request.steps) end(request);
    } catch (error) {
      for (const request of requests) {
        waiting.delete(request.place);
        request.reject(error);
      }
    } finally {
      busy = false;
    }
    // Those that were answered ask again, or leave, before the others may go on.
    await breathe();
    void makeIfAllWait();
  }

  function end(request: Request): void {
    waiting.delete(request.place);
    const { losses, carriedNow, milliseconds, place } = request;
    const bad = losses.findIndex((value) => !(Math.abs(value) <= divergenceLimit));
    const own = configs[place]!.momentum === 0 ? model.params : stackedSpecs;
    request.resolve({
      losses: bad < 0 ? losses : losses.subarray(0, bad + 1),
      after: Object.fromEntries(own.map(({ name }) => [name, carriedNow[name]!])),
      milliseconds,
    });
  }

  return {
    join: (place) =>
      Promise.resolve({
        carried: configs[place]!.momentum === 0 ? model.params : stackedSpecs,
        run: (call) =>
          new Promise((resolve, reject) => {
            const steps = call.indices.length / batchSize;
            const losses = new Float32Array(steps);
            waiting.set(place, {
              ...call,
              ...{ place, steps, losses, resolve, reject, done: 0, milliseconds: 0, carriedNow: call.carried },
            });
            void makeIfAllWait();
          }),
        paceFrom: (step): Pacer => ({
          next(remaining) {
            if (remaining <= chunk) return remaining;
            const end = Math.floor((step() + chunk) / span) * span;
            return Math.max(1, end - step());
          },
          took: () => undefined,
        }),
        exclusively(work) {
          const done = exclusive.then(work);
          exclusive = done.catch(() => undefined);
          return done;
        },
        dispose: () => Promise.resolve(),
      }),
    leave(place) {
      present.delete(place);
      void makeIfAllWait();
    },
    async dispose() {
      disposed = true;
      await (await opening)?.dispose();
    },
  };
}
