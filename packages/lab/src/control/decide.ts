import { number } from "../advice/measured.js";
import type {
  ControlAction,
  ControlInput,
  ControlPlan,
  ControlReading,
  ControlSettings,
  ControlState,
} from "./controller.js";
import { laws } from "./laws.js";

export interface Decided {
  readonly state: ControlState;
  readonly action: ControlAction;
}

/** Decisions in a row without a measurement that are sat out before η falls back. */
const patience = 3;
/** Most that a decision divides η by. */
const fall = 1000;
/** A loss above the first by more than this has blown up, even where it is a number still. */
const lossGuard = 10;
/** Each time the loss has blown up η is divided by this. */
const rewindFall = 2;
/** A decision that changes η or B by less than this factor has found the run settled. */
const settledWithin = 1.25;
/** A mean loss this much above the one before the last decision ends a rest. */
const restlessAbove = 1.25;
/** Times that weights are taken back in one run. */
export const mostRewinds = 12;

/** Whether the loss since the last decision says that the weights are lost. */
export function hasBlownUp(state: ControlState, loss: number): boolean {
  if (loss === Infinity || loss === -Infinity) return true;
  return loss > lossGuard * Math.max(state.firstLoss, Number.MIN_VALUE);
}

/** What is known of a run where it could decide, without measuring. */
export interface Waiting {
  /** Decisions sat out since the last one that was made. */
  readonly rested: number;
  /** Most that may be sat out in a row. */
  readonly longest: number;
  /** Whether decisions have become regular: those of the start are not sat out before the run has settled. */
  readonly isRegular: boolean;
  /** Mean minibatch loss since the last decision, or the last one sat out. */
  readonly loss: number;
}

/** Of the longest rest, what a run that has not settled is allowed. */
const unsettledShare = 0.25;

/**
 * Whether a run may go on unmeasured at a step where it could decide: once, three, seven times, as decisions in a row have
 * found it settled, up to the longest; an unsettled one a quarter of that. Never where its loss has risen.
 */
export function mayRest({ calm, lastLoss }: ControlState, { rested, longest, isRegular, loss }: Waiting): boolean {
  const unsettled = isRegular ? Math.floor(unsettledShare * longest) : 0;
  return rested < Math.min(Math.max(2 ** calm - 1, unsettled), longest) && !(loss > restlessAbove * lastLoss);
}

/**
 * One decision: pure. Without a measurement settings are held, and after three times in a row η falls back to the config's
 * if it is above it. η and B stay within the plan's bounds whatever was measured; B never shrinks.
 */
export function decide(plan: ControlPlan, state: ControlState, input: ControlInput): Decided {
  const { step, shape, reading } = input;
  const target = plan.kind === "sharpness" ? NaN : plan.targetNoiseKernel * (shape > 0 ? shape : 1);
  const heard = reading !== null && Number.isFinite(reading.loss) ? reading.loss : NaN;
  const firstLoss = Number.isFinite(state.firstLoss) ? state.firstLoss : heard;
  const usable = reading !== null && isUsable(plan, reading, step);
  if (!usable) {
    const missed = state.missed + 1;
    const fallsBack = missed > patience && state.learningRate > plan.learningRate;
    const learningRate = fallsBack ? bounded(plan, plan.learningRate) : state.learningRate;
    const reason = fallsBack
      ? `nothing measured for ${missed} decisions: η falls back to ${number(learningRate)}`
      : `nothing measured: held (${missed} in a row)`;
    const next = { ...state, learningRate, missed, firstLoss, lastLoss: heard, calm: 0 };
    return {
      state: next,
      action: actionOf(plan, state, next, input, target, fallsBack ? "fall-back" : "hold", reason),
    };
  }
  const wish = laws[plan.kind](plan, state, reading, target);
  const learningRate =
    wish.learningRate === null ? state.learningRate : rateAfter(plan, state, input, reading, wish.learningRate);
  const batchSize = wish.batchSize === null ? state.batchSize : batchAfter(plan, state, reading, wish.batchSize);
  const arrived = state.arrived || (plan.kind === "warmup" && learningRate >= plan.learningRate);
  const change = Math.max(
    learningRate / state.learningRate,
    state.learningRate / learningRate,
    batchSize / state.batchSize,
  );
  const calm = change <= settledWithin ? state.calm + 1 : 0;
  const next = { ...state, learningRate, batchSize, arrived, missed: 0, firstLoss, lastLoss: heard, calm };
  const action =
    batchSize > state.batchSize
      ? "grow-batch"
      : learningRate > state.learningRate
        ? "raise"
        : learningRate < state.learningRate
          ? "lower"
          : "hold";
  const outcome =
    action === "hold"
      ? "held"
      : action === "grow-batch"
        ? `B from ${state.batchSize} to ${batchSize}`
        : `η from ${number(shape * state.learningRate)} to ${number(shape * learningRate)}`;
  return { state: next, action: actionOf(plan, state, next, input, target, action, `${wish.why}; ${outcome}`) };
}

/** The loss has blown up and the weights go back to those of step `to`, with half the η: null once that has been tried enough. */
export function rewind(plan: ControlPlan, state: ControlState, input: ControlInput, to: number): Decided | null {
  const learningRate = bounded(plan, state.learningRate / rewindFall);
  if (state.rewinds >= mostRewinds || learningRate >= state.learningRate) return null;
  const next = {
    ...state,
    learningRate,
    rewinds: state.rewinds + 1,
    calm: 0,
    arrived: plan.kind === "warmup" ? true : state.arrived,
  };
  const reason = `the loss blew up by step ${input.step}: back to step ${to} with η = ${number(learningRate)}`;
  return { state: next, action: { ...actionOf(plan, state, next, input, NaN, "rewind", reason), rewoundTo: to } };
}

function isUsable(plan: ControlPlan, reading: ControlReading, step: number): boolean {
  const { noiseKernel, deterministic, learningRate, batchSize } = reading;
  if (!(learningRate > 0 && learningRate < Infinity && batchSize >= 1 && batchSize < Infinity)) return false;
  if (!(reading.step <= step && reading.step >= step - plan.oldest)) return false;
  // A ratio of 0 is a network without curvature, or none that was measured: nothing to divide by.
  if (!(deterministic > 0 && deterministic < Infinity)) return false;
  return plan.kind === "sharpness" || noiseKernel > 0;
}

/** η at the height of the schedule, from the η that was measured at, a factor at a time and within bounds. */
function rateAfter(
  plan: ControlPlan,
  state: ControlState,
  { shape }: ControlInput,
  reading: ControlReading,
  factor: number,
): number {
  const wanted = (reading.learningRate * factor) / (shape > 0 ? shape : 1);
  if (!Number.isFinite(wanted) || wanted <= 0) return state.learningRate;
  const limited = Math.min(Math.max(wanted, state.learningRate / fall), state.learningRate * plan.rise);
  return bounded(plan, limited);
}

function batchAfter(plan: ControlPlan, state: ControlState, reading: ControlReading, factor: number): number {
  const { batchMultiple, maximumBatchSize, rise } = plan;
  // At least one part more, so that a small batch grows at all.
  const most = Math.max(state.batchSize + batchMultiple, rise * state.batchSize);
  const wanted = Math.min(reading.batchSize * factor, most);
  const whole = Math.ceil(wanted / batchMultiple) * batchMultiple;
  return Number.isFinite(whole) ? Math.max(state.batchSize, Math.min(whole, maximumBatchSize)) : state.batchSize;
}

const bounded = ({ minimumLearningRate, maximumLearningRate }: ControlPlan, value: number): number =>
  Math.min(Math.max(value, minimumLearningRate), maximumLearningRate);

function actionOf(
  plan: ControlPlan,
  state: ControlState,
  next: ControlSettings,
  input: ControlInput,
  targetNoiseKernel: number,
  action: ControlAction["action"],
  reason: string,
): ControlAction {
  const { reading, shape, step } = input;
  const inForce = ({ learningRate, batchSize }: ControlSettings) => ({ learningRate: shape * learningRate, batchSize });
  const { noiseKernel = NaN, noiseKernelError = NaN, deterministic = NaN } = reading ?? {};
  return {
    ...{ controller: plan.kind, action, reason, targetNoiseKernel, noiseKernel, noiseKernelError, deterministic },
    error: noiseKernel / targetNoiseKernel - 1,
    measuredAt: reading?.step ?? step,
    ...{ before: inForce(state), after: inForce(next), input, state },
  };
}
