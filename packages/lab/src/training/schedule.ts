import type { ScheduleConfig } from "../config/schedule-config.js";

export interface ScheduleOptions {
  /** η at its largest. */
  readonly learningRate: number;
  /** T, updates of the whole run. */
  readonly steps: number;
  /** Default constant. */
  readonly schedule?: ScheduleConfig | undefined;
}

/**
 * The learning rate of the update from step t to t + 1, t from 0 to T − 1. With W steps of warmup, f the final share, and
 * s = (t − W)/(T − W):
 *
 *     warmup, t < W   η·(t + 1)/W
 *     constant        η
 *     linear          η·(1 − (1 − f)·s)
 *     cosine          η·(f + (1 − f)·½(1 + cos πs))           (CosineAnnealingLR, where W = 0)
 *     step            η·factor^⌊t/every⌋                      (StepLR)
 *     wsd             η, then over the last D steps η·(1 − (1 − f)·(t − (T − D))/D)   (warmup, stable, decay)
 */
export function learningRateAt({ learningRate, steps, schedule }: ScheduleOptions): (step: number) => number {
  if (schedule === undefined) return () => learningRate;
  const { kind, warmup, final = 0, every = steps, factor = 0.1, decay = steps } = schedule;
  const share = (step: number) => (step - warmup) / Math.max(1, steps - warmup);
  const after: Readonly<Record<ScheduleConfig["kind"], (step: number) => number>> = {
    constant: () => 1,
    linear: (step) => 1 - (1 - final) * share(step),
    cosine: (step) => final + ((1 - final) * (1 + Math.cos(Math.PI * share(step)))) / 2,
    step: (step) => factor ** Math.floor(step / every),
    wsd: (step) => 1 - (1 - final) * Math.max(0, (step - (steps - decay)) / decay),
  };
  return (step) => learningRate * (step < warmup ? (step + 1) / warmup : after[kind](step));
}
