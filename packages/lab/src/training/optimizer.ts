import { adam, rmsprop, sgd, type UpdateRule } from "@sedge/autodiff";
import type { TrainConfig } from "../config/train-config.js";

/** An optimiser with every setting written out, those its kind does not use included. */
export interface RunOptimizer {
  readonly kind: "sgd" | "adam" | "adamw" | "rmsprop";
  /** m. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** δ: decoupled in adamw, L2 in the others. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly alpha: number;
  readonly epsilon: number;
}

/** The config's optimiser, with PyTorch's defaults; `weightDecay` too has Sedge's own, 0, in adamw. */
export function optimizerOf({
  optimizer: { kind, nesterov = false, beta1 = 0.9, beta2 = 0.999, alpha = 0.99, epsilon = 1e-8 } = { kind: "sgd" },
  momentum,
  weightDecay,
}: Pick<TrainConfig, "optimizer" | "momentum" | "weightDecay">): RunOptimizer {
  return { kind, momentum, nesterov, weightDecay, beta1, beta2, alpha, epsilon };
}

/**
 * What it does to one parameter. State for each parameter θ, which a checkpoint keeps by these names: `velocity/θ` (sgd
 * and rmsprop with momentum), `firstMoment/θ` and `secondMoment/θ` (adam, adamw), `squareAverage/θ` (rmsprop).
 */
export function updateRule({ kind, ...settings }: RunOptimizer): UpdateRule {
  switch (kind) {
    case "sgd":
      return sgd(settings);
    case "adam":
      return adam(settings);
    case "adamw":
      return adam({ ...settings, decoupled: true });
    case "rmsprop":
      return rmsprop(settings);
  }
}
