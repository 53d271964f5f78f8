import { BadInput } from "@sedge/lab";
import type { OptimizerRequest } from "@sedge/lab/measure";
import { parseNumber } from "../parse-number.js";

export const optimizers = ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"] as const;

/** The flags that say how a model is trained, as written. */
export interface OptimizerFlags {
  readonly optimizer: (typeof optimizers)[number];
  readonly learningRate: string;
  readonly momentum?: string;
  readonly beta1?: string;
  readonly beta2?: string;
  readonly epsilon?: string;
  readonly weightDecay?: string;
}

/** Which optimisers a setting belongs to. */
const owners = {
  momentum: ["momentum", "nesterov", "rmsprop"],
  beta1: ["adam", "adamw"],
  beta2: ["adam", "adamw"],
  epsilon: ["adam", "adamw", "rmsprop"],
  weightDecay: optimizers,
} as const satisfies Record<string, readonly OptimizerFlags["optimizer"][]>;

const flagNames = {
  momentum: "--momentum",
  beta1: "--beta1",
  beta2: "--beta2",
  epsilon: "--epsilon",
  weightDecay: "--weight-decay",
} as const;

/** @throws BadInput naming the flag, for a number out of range or a setting that the optimiser has not. */
export function optimizerOf(flags: OptimizerFlags): OptimizerRequest {
  const share = (x: number) => x >= 0 && x < 1;
  const own = (key: keyof typeof owners, allowed: (value: number) => boolean, range: string): number | undefined => {
    const text = flags[key];
    if (text === undefined) return undefined;
    const value = parseNumber(flagNames[key], text, allowed, range);
    const among: readonly string[] = owners[key];
    if (!among.includes(flags.optimizer)) {
      throw new BadInput(`${flagNames[key]}: expected only with ${among.join(", ")}, got it with ${flags.optimizer}.`);
    }
    return value;
  };
  return {
    kind: flags.optimizer,
    learningRate: parseNumber("--learning-rate", flags.learningRate, (x) => x > 0, "a number above 0"),
    momentum: own("momentum", share, "a number in [0, 1)"),
    beta1: own("beta1", share, "a number in [0, 1)"),
    beta2: own("beta2", share, "a number in [0, 1)"),
    epsilon: own("epsilon", (x) => x > 0, "a number above 0"),
    weightDecay: own("weightDecay", (x) => x >= 0, "a number of at least 0"),
  };
}
