import type { ScheduleOptions } from "../training/schedule.js";
import { learningRateAt } from "../training/schedule.js";
import type { Params } from "../models/model.js";
import type { ProbeMemory } from "../probes/probe.js";
import type { ResizableStream } from "../sampling/resizable-stream.js";
import type { MinibatchState } from "../sampling/minibatch-stream.js";
import {
  initialState,
  type ControlAction,
  type ControlPlan,
  type ControlReading,
  type ControlState,
} from "./controller.js";
import { decide, hasBlownUp, mayRest, rewind, type Decided } from "./decide.js";
import type { ControlInstrument, ControlView } from "./reading.js";

/** What a checkpoint keeps of a controller, besides the weights that it would go back to. */
export interface ControlMemory {
  readonly state: ControlState;
  /** Of the minibatches since the last decision. */
  readonly loss: { readonly sum: number; readonly count: number };
  /** The last decision that found the run sound. */
  readonly snapshot: { readonly step: number; readonly batchSize: number; readonly minibatches: MinibatchState } | null;
  /** Decisions sat out since the last one that was made. */
  readonly rested: number;
}

/** What is recorded of a decision. */
export interface ControlNews {
  readonly values: Readonly<Record<string, number>>;
  readonly record: { readonly kind: "control"; readonly data: Readonly<Record<string, unknown>> };
}

/** A controller at work on one run. */
export interface RunControl {
  /** Steps at which it may decide. */
  readonly steps: ReadonlySet<number>;
  /** η of the update from `step` to the next. */
  learningRate(this: void, step: number): number;
  readonly batchSize: number;
  /** Takes note of minibatch losses. */
  hear(losses: Float32Array): void;
  /**
   * Measures and decides; of a settled run it may do neither. null: the loss has blown up since the last decision; `rescue`
   * then.
   */
  decide(view: Omit<ControlView, "learningRate" | "batchSize">): Promise<readonly ControlNews[] | null>;
  /** After a bad loss at `step`: where to go on from. null if it is of no use to try once more. */
  rescue(step: number): { readonly step: number; readonly carried: Params; readonly news: ControlNews } | null;
  memory(): ControlMemory;
  /** Of its instrument: kept where the probes' memories are. */
  readonly instrumentMemory: ProbeMemory;
  /** The weights of the snapshot. */
  readonly snapshotCarried: Params | null;
  /** What went wrong with the instrument, once. */
  warnings(): string[];
  close(): Promise<void>;
}

export interface RunControlOptions {
  readonly plan: ControlPlan;
  readonly schedule: ScheduleOptions;
  readonly steps: readonly number[];
  readonly instrument: ControlInstrument;
  /** Most decisions in a row that a settled run sits out. */
  readonly longestRest: number;
  /** The step after which decisions are regular. */
  readonly regularFrom: number;
  readonly minibatches: ResizableStream;
  readonly resume?: { readonly memory: ControlMemory; readonly snapshot: Params } | undefined;
}

export function runControl(options: RunControlOptions): RunControl {
  const { plan, schedule, instrument, longestRest, regularFrom, minibatches, resume } = options;
  const scheduled = learningRateAt(schedule);
  const shapeAt = (step: number) => scheduled(Math.min(step, schedule.steps - 1)) / schedule.learningRate;
  let state = resume?.memory.state ?? initialState(plan);
  let loss = { sum: 0, count: 0, ...resume?.memory.loss };
  let snapshot = resume?.memory.snapshot ?? null;
  let rested = resume?.memory.rested ?? 0;
  let snapshotCarried: Params | null = snapshot === null ? null : resume!.snapshot;
  let failure: string | undefined;
  let told = false;
  const rateAt = (step: number) => shapeAt(step) * state.learningRate;

  const meanLoss = () => (loss.count > 0 ? loss.sum / loss.count : NaN);

  async function read(view: Omit<ControlView, "learningRate" | "batchSize">): Promise<ControlReading> {
    const mean = meanLoss();
    const now = { learningRate: rateAt(view.step), batchSize: state.batchSize };
    const nothing = { step: view.step, ...now, noiseKernel: NaN, noiseKernelError: NaN, deterministic: NaN };
    try {
      return { ...((await instrument.measure({ ...view, ...now })) ?? nothing), loss: mean };
    } catch (error) {
      view.signal?.throwIfAborted();
      failure ??= error instanceof Error ? error.message : String(error);
      return { ...nothing, loss: mean };
    }
  }

  const newsOf = (action: ControlAction): ControlNews => ({
    values: {
      "control/targetNoiseKernel": action.targetNoiseKernel,
      "control/noiseKernel": action.noiseKernel,
      "control/deterministic": action.deterministic,
    },
    record: { kind: "control", data: { ...action } },
  });

  const adopt = (decided: Decided): ControlNews => {
    state = decided.state;
    if (minibatches.batchSize !== state.batchSize) minibatches.resize(state.batchSize);
    loss = { sum: 0, count: 0 };
    rested = 0;
    return newsOf(decided.action);
  };

  return {
    steps: new Set(options.steps),
    learningRate: rateAt,
    get batchSize() {
      return state.batchSize;
    },
    hear(losses) {
      for (const value of losses) loss.sum += value;
      loss.count += losses.length;
    },
    async decide(view) {
      const news: ControlNews[] = [];
      if (hasBlownUp(state, meanLoss())) return null;
      const isRegular = view.step > regularFrom;
      if (mayRest(state, { rested, longest: longestRest, isRegular, loss: meanLoss() })) {
        rested++;
        loss = { sum: 0, count: 0 };
      } else {
        const reading = await read(view);
        news.push(adopt(decide(plan, state, { step: view.step, shape: shapeAt(view.step), reading })));
      }
      snapshot = { step: view.step, batchSize: state.batchSize, minibatches: minibatches.state() };
      snapshotCarried = view.carried;
      return news;
    },
    rescue(step) {
      if (snapshot === null || snapshotCarried === null) return null;
      const decided = rewind(plan, state, { step, shape: shapeAt(step), reading: null }, snapshot.step);
      if (decided === null) return null;
      const news = adopt(decided);
      minibatches.restore(snapshot.minibatches);
      return { step: snapshot.step, carried: snapshotCarried, news };
    },
    memory: () => ({ state, loss, snapshot, rested }),
    get instrumentMemory() {
      return instrument.memory;
    },
    get snapshotCarried() {
      return snapshotCarried;
    },
    warnings() {
      if (failure === undefined || told) return [];
      told = true;
      return [`control: could not measure: ${failure}`];
    },
    close: () => instrument.close(),
  };
}
