import { deterministicLimit } from "@sedge/theory";
import type { RunConfig } from "../api/types.js";

/** Stochastic gradient descent as theory takes it. */
export interface Descent {
  /** m. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** δ. */
  readonly weightDecay: number;
}

/** The run's optimiser; null for one with a preconditioner, whose edges η and λ_max of the Hessian alone do not tell. */
export function descentOf({ optimizer, momentum = 0, weightDecay = 0 }: RunConfig): Descent | null {
  const { kind = "sgd", nesterov = false } = optimizer ?? {};
  return kind === "sgd" ? { momentum, nesterov, weightDecay } : null;
}

/** λ_max on the deterministic edge: η(λ_max + δ) = 2(1 + m), over 1 + 2m with Nesterov's momentum. */
export const edgeSharpness = (descent: Descent, learningRate: number): number =>
  deterministicLimit(descent) / learningRate - descent.weightDecay;

/** η on the deterministic edge. */
export const edgeRate = (descent: Descent, lambdaMax: number): number =>
  deterministicLimit(descent) / (lambdaMax + descent.weightDecay);
