import { BadInput } from "../errors.js";
import type { Params } from "../models/model.js";
import type { RunOptimizer } from "../training/optimizer.js";

/** A run's optimiser and its current state, as far as stability depends on it. Names and defaults are PyTorch's. */
export type OptimizerSettings =
  | {
      readonly kind: "sgd";
      readonly learningRate: number;
      readonly momentum?: number;
      readonly nesterov?: boolean;
      readonly weightDecay?: number;
    }
  | {
      readonly kind: "adam" | "adamw";
      readonly learningRate: number;
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      /** Decoupled; with `adam`, whose decay is L2 and preconditioned, only with `meanDecay`. */
      readonly weightDecay?: number;
      /** What the L2 decay of `adam` amounts to in preconditioned coordinates, as one number: see `openPreconditionedDecay`. */
      readonly meanDecay?: number;
      /** Updates done so far, at least 1. */
      readonly step: number;
      /** v, the running mean of squared gradients, as the optimiser holds it (bias not corrected). */
      readonly secondMoment: Params;
    }
  | {
      readonly kind: "rmsprop";
      readonly learningRate: number;
      readonly momentum?: number;
      readonly epsilon?: number;
      /** L2 and preconditioned: above 0 only with `meanDecay`. */
      readonly weightDecay?: number;
      readonly meanDecay?: number;
      readonly squareAverage: Params;
    };

/** The optimiser as heavy-ball or Nesterov SGD in coordinates D^{1/2} θ. */
export interface OptimizerDynamics {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** D; null for the identity. */
  readonly preconditioner: Params | null;
  /** One line for people. */
  readonly description: string;
  /** Where this is an approximation, how. */
  readonly notes: readonly string[];
}

/**
 * With a slowly varying diagonal D, Adam's θ' = θ − η D⁻¹ m̂ with m̂ the bias-corrected mean of gradients is heavy ball of
 * rate η(1 − β₁)/(1 − β₁ᵗ) and momentum β₁ on the preconditioned loss, D = √v̂ + ε; RMSProp, of its own rate and momentum.
 *
 * @throws BadInput for numbers out of range, and for an L2 decay, which D turns into another number for every parameter, without
 *   its mean.
 */
export function optimizerDynamics(optimizer: OptimizerSettings): OptimizerDynamics {
  const { kind, learningRate, weightDecay = 0 } = optimizer;
  check(kind, "learningRate", learningRate, learningRate > 0 && learningRate < Infinity, "a finite number above 0");
  check(kind, "weightDecay", weightDecay, weightDecay >= 0 && weightDecay < Infinity, "a finite number of at least 0");
  if (kind === "sgd") {
    const { momentum = 0, nesterov = false } = optimizer;
    checkShare(kind, "momentum", momentum);
    const parts = [
      `η = ${learningRate}`,
      momentum > 0 && `${nesterov ? "Nesterov " : ""}m = ${momentum}`,
      weightDecay > 0 && `δ = ${weightDecay}`,
    ];
    const description = `SGD, ${parts.filter(Boolean).join(", ")}`;
    return { learningRate, momentum, nesterov, weightDecay, preconditioner: null, description, notes: [] };
  }
  const frozen = "The preconditioner is taken as it is now; it is assumed to vary slowly.";
  const { meanDecay = 0 } = optimizer;
  check(kind, "meanDecay", meanDecay, meanDecay >= 0 && meanDecay < Infinity, "a finite number of at least 0");
  if (kind !== "adamw" && weightDecay > 0 && optimizer.meanDecay === undefined) {
    throw new BadInput(
      `${kind}: weightDecay: expected 0, got ${weightDecay}: its L2 decay is preconditioned, a different number for every ` +
        "parameter, and meanDecay, which stands for them, is not given.",
    );
  }
  const l2 =
    kind !== "adamw" && weightDecay > 0
      ? [
          `The L2 decay δ = ${weightDecay} is divided by the preconditioner with the gradient: another number for every parameter. ` +
            `It counts as their mean over the Jacobian, ${meanDecay.toPrecision(3)}.`,
        ]
      : [];
  if (kind === "rmsprop") {
    const { momentum = 0, epsilon = 1e-8, squareAverage } = optimizer;
    checkShare(kind, "momentum", momentum);
    const preconditioner = rootsOf(kind, squareAverage, 1, epsilon);
    const parts = [
      `RMSProp, η = ${learningRate}`,
      momentum > 0 && `m = ${momentum}`,
      weightDecay > 0 && `δ = ${weightDecay}`,
    ];
    return {
      ...{ learningRate, momentum, nesterov: false, weightDecay: weightDecay > 0 ? meanDecay : 0, preconditioner },
      ...{ description: parts.filter(Boolean).join(", "), notes: [frozen, ...l2] },
    };
  }
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, step, secondMoment } = optimizer;
  checkShare(kind, "beta1", beta1);
  checkShare(kind, "beta2", beta2);
  check(kind, "step", step, Number.isInteger(step) && step >= 1, "a whole number from 1 up");
  const rate = (learningRate * (1 - beta1)) / (1 - beta1 ** step);
  const decay =
    weightDecay > 0 && kind === "adamw"
      ? [`The decoupled decay δ = ${weightDecay} counts as a term of the heavy ball: right to first order in η·δ.`]
      : [];
  return {
    learningRate: rate,
    momentum: beta1,
    nesterov: false,
    weightDecay: kind === "adam" && weightDecay > 0 ? meanDecay : weightDecay,
    preconditioner: rootsOf(kind, secondMoment, 1 - beta2 ** step, epsilon),
    description: `${kind === "adam" ? "Adam" : "AdamW"}, η = ${learningRate}, β₁ = ${beta1}${weightDecay > 0 ? `, δ = ${weightDecay}` : ""}`,
    notes: [frozen, ...l2, ...decay],
  };
}

/** √(v / correction) + ε. */
function rootsOf(kind: string, moments: Params, correction: number, epsilon: number): Params {
  check(kind, "epsilon", epsilon, epsilon > 0 && epsilon < Infinity, "a finite number above 0");
  return Object.fromEntries(
    Object.entries(moments).map(([name, values]) => {
      const bad = values.findIndex((v) => !(v >= 0 && v < Infinity));
      if (bad >= 0) {
        throw new BadInput(
          `${kind}: mean squares of "${name}": expected finite numbers of at least 0, got ${values[bad]} at element ${bad}.`,
        );
      }
      return [name, values.map((v) => Math.sqrt(v / correction) + epsilon)];
    }),
  );
}

const checkShare = (kind: string, name: string, value: number): void =>
  check(kind, name, value, value >= 0 && value < 1, "a number in [0, 1)");

function check(kind: string, name: string, value: number, isGood: boolean, wanted: string): void {
  if (!isGood) throw new BadInput(`${kind}: ${name}: expected ${wanted}, got ${value}.`);
}

/**
 * A training run's optimiser as it is after `step` updates; null for an adaptive one before its first, when it has no
 * preconditioner yet. An L2 decay that is preconditioned (adam, rmsprop) is left out.
 *
 * @param carried  What the trainer carries: `secondMoment/<param>`, `squareAverage/<param>`.
 */
export function currentOptimizer(
  { kind, momentum, nesterov, weightDecay, beta1, beta2, epsilon }: RunOptimizer,
  learningRate: number,
  step: number,
  carried: Params,
): OptimizerSettings | null {
  if (kind === "sgd") return { kind, learningRate, momentum, nesterov, weightDecay };
  if (step < 1) return null;
  const stateOf = (prefix: string): Params =>
    Object.fromEntries(
      Object.entries(carried).flatMap(([name, values]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : [],
      ),
    );
  if (kind === "rmsprop") return { kind, learningRate, momentum, epsilon, squareAverage: stateOf("squareAverage/") };
  const decay = kind === "adamw" ? { weightDecay } : {};
  return { kind, learningRate, beta1, beta2, epsilon, step, secondMoment: stateOf("secondMoment/"), ...decay };
}
