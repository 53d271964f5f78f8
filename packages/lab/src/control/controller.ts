import type { ControlConfig, ControlKind } from "../config/control-config.js";

/** What a controller chooses. η is that at the height of the schedule: what is in force is η times the schedule's shape. */
export interface ControlSettings {
  readonly learningRate: number;
  readonly batchSize: number;
}

/** What a controller remembers between decisions. Plain data. */
export interface ControlState extends ControlSettings {
  /** Decisions in a row without a measurement. */
  readonly missed: number;
  /** Times that the loss blew up and the weights were taken back. */
  readonly rewinds: number;
  /** warmup: η has come to where it was to go. */
  readonly arrived: boolean;
  /** Mean minibatch loss before the first decision that had one; NaN before. */
  readonly firstLoss: number;
  /** Mean minibatch loss before the last decision; NaN where nothing was heard. */
  readonly lastLoss: number;
  /** Measured decisions in a row that changed little: how settled the run is. */
  readonly calm: number;
}

/** What was measured for a decision. NaN: not measured. */
export interface ControlReading {
  /** At which the weights were measured: the decision's own, or an earlier one. */
  readonly step: number;
  /** In force when it was measured, the schedule included. */
  readonly learningRate: number;
  readonly batchSize: number;
  /** K exact; Infinity past the deterministic edge of its probe. */
  readonly noiseKernel: number;
  readonly noiseKernelError: number;
  /** η(λ_max + δ)/(2(1 + m)), or what edge/deterministic is for the optimiser. */
  readonly deterministic: number;
  /** Mean minibatch loss since the decision before. */
  readonly loss: number;
}

/** All that decisions depend on, besides measurements and state. Plain data, fixed for a run. */
export interface ControlPlan {
  readonly kind: ControlKind;
  readonly targetNoiseKernel: number;
  readonly deterministicCap: number;
  /** Most that a decision multiplies η or B by. */
  readonly rise: number;
  /** The config's η and B, which a controller starts from and falls back to. */
  readonly learningRate: number;
  readonly batchSize: number;
  readonly minimumLearningRate: number;
  readonly maximumLearningRate: number;
  readonly maximumBatchSize: number;
  /** B is a multiple of this: the parts in which a minibatch is computed. */
  readonly batchMultiple: number;
  /** Steps after which a measurement counts as missing. */
  readonly oldest: number;
}

export interface ControlAction {
  readonly controller: ControlKind;
  readonly action: "raise" | "lower" | "grow-batch" | "hold" | "fall-back" | "rewind";
  /** One sentence for people. */
  readonly reason: string;
  /** K aimed for at this step; NaN for a controller that aims for none. */
  readonly targetNoiseKernel: number;
  readonly noiseKernel: number;
  readonly noiseKernelError: number;
  readonly deterministic: number;
  /** K/target − 1. */
  readonly error: number;
  readonly measuredAt: number;
  /** In force before and after, the schedule included. */
  readonly before: ControlSettings;
  readonly after: ControlSettings;
  readonly rewoundTo?: number;
  /** What the decision was made from, so that it can be made again. */
  readonly input: ControlInput;
  readonly state: ControlState;
}

/** What one decision is made from. */
export interface ControlInput {
  readonly step: number;
  /** The schedule's η over its largest. */
  readonly shape: number;
  /** null: nothing was measured. */
  readonly reading: ControlReading | null;
}

/** Warmup starts at this share of its aim. */
const warmupStart = 0.01;

/** The plan of a config. */
export function controlPlan(
  control: ControlConfig & { readonly kind: ControlKind },
  run: {
    readonly learningRate: number;
    readonly batchSize: number;
    readonly accumulate: number;
    readonly examples: number;
    readonly steps: number;
  },
): ControlPlan {
  const { kind, targetNoiseKernel, deterministicCap, rise } = control;
  const multiple = run.accumulate;
  return {
    ...{ kind, targetNoiseKernel, deterministicCap, rise },
    ...{ learningRate: run.learningRate, batchSize: run.batchSize, batchMultiple: multiple },
    minimumLearningRate: control.minimumLearningRate ?? run.learningRate / 1000,
    maximumLearningRate:
      kind === "warmup" ? run.learningRate : (control.maximumLearningRate ?? 1000 * run.learningRate),
    maximumBatchSize: control.maximumBatchSize ?? Math.floor(run.examples / multiple) * multiple,
    oldest: 2 * decisionEvery(control, run.steps),
  };
}

export function initialState(plan: ControlPlan): ControlState {
  const { kind, learningRate, minimumLearningRate, batchSize } = plan;
  return {
    learningRate: kind === "warmup" ? Math.max(minimumLearningRate, warmupStart * learningRate) : learningRate,
    batchSize,
    ...{ missed: 0, rewinds: 0, arrived: false, firstLoss: NaN, lastLoss: NaN, calm: 0 },
  };
}

/** Steps between decisions once they are regular. */
export const decisionEvery = ({ every }: Pick<ControlConfig, "every">, steps: number): number =>
  every ?? Math.max(1, Math.ceil(steps / 50));

/** Steps at which a run's controller decides: 0, powers of two, then multiples of `every`, before the last. */
export function decisionSteps(control: Pick<ControlConfig, "every">, steps: number): number[] {
  const every = decisionEvery(control, steps);
  const chosen = new Set([0]);
  for (let step = 1; step < Math.min(every, steps); step *= 2) chosen.add(step);
  for (let step = every; step < steps; step += every) chosen.add(step);
  return [...chosen].sort((a, b) => a - b);
}
