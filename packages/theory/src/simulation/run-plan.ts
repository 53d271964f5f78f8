import { checkInteger, checkNumber, describe, TheoryRangeError, TheoryTypeError } from "../errors.js";
import { checkOptions } from "../settings.js";

/** How a simulation of many seeds is run and recorded. */
export interface SimulationOptions {
  /** Steps of each seed. */
  readonly steps: number;
  /** Names the random streams. Seed i of it draws the same whichever other seeds run beside it. */
  readonly seed: number | string;
  /** How many seeds. Default 1. */
  readonly seeds?: number | undefined;
  /** The first of them, so that a long simulation can be done in slices. Default 0. */
  readonly firstSeed?: number | undefined;
  /** Steps to record at, ascending, from 0 to `steps`. Default: every step. */
  readonly recordAt?: readonly number[] | undefined;
  /** Told now and then how many steps of how many are done, counting those of all seeds. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Aborting it makes the simulation throw its reason, at the next pause. */
  readonly signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
}

export interface RunPlan {
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly recordAt: readonly number[];
  /** To be called as steps are done: reports progress and throws if aborted. */
  readonly advance: (steps: number) => void;
}

/** Steps between pauses, at most: a few milliseconds of a small problem. */
export const PAUSE = 512;

export function planRun(where: string, options: SimulationOptions): RunPlan {
  checkOptions(where, "options", options);
  const { steps, seed, seeds = 1, firstSeed = 0, onProgress, signal } = options;
  checkInteger(where, "steps", steps, 0);
  checkInteger(where, "seeds", seeds, 1);
  checkInteger(where, "firstSeed", firstSeed, 0);
  if (typeof seed !== "string") checkNumber(where, "seed", seed, Number.isSafeInteger, "a string or a safe integer");
  const recordAt = options.recordAt ?? Array.from({ length: steps + 1 }, (_, step) => step);
  if (!Array.isArray(recordAt))
    throw new TheoryTypeError(`${where}: recordAt: expected an array of steps, got ${describe(recordAt)}.`);
  recordAt.forEach((step: unknown, k) => {
    checkInteger(where, `recordAt[${k}]`, step, 0, steps);
    if (k > 0 && step <= recordAt[k - 1]!)
      throw new TheoryRangeError(`${where}: recordAt[${k}]: expected a step after ${recordAt[k - 1]}, got ${step}.`);
  });
  let done = 0;
  const total = steps * seeds;
  return {
    steps,
    seeds: Array.from({ length: seeds }, (_, k) => firstSeed + k),
    recordAt,
    advance(count) {
      if (signal?.aborted) throw signal.reason;
      done += count;
      onProgress?.(done, total);
    },
  };
}

/** Mean and standard error over seeds, [records] each, of values [seeds, records]. The error of one seed is NaN. */
export function overSeeds(values: Float64Array, seeds: number, records: number) {
  const mean = new Float64Array(records);
  const standardError = new Float64Array(records);
  for (let k = 0; k < records; k++) {
    let sum = 0;
    for (let s = 0; s < seeds; s++) sum += values[s * records + k]!;
    mean[k] = sum / seeds;
    let squares = 0;
    for (let s = 0; s < seeds; s++) squares += (values[s * records + k]! - mean[k]!) ** 2;
    standardError[k] = mean[k] === Infinity ? Infinity : Math.sqrt(squares / (seeds - 1) / seeds);
  }
  return { mean, standardError };
}
