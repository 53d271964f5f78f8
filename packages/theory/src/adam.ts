import { checkNumber, checkPositive } from "./errors.js";
import { checkOptions } from "./settings.js";

/** Adam's settings, as its implementations name them. */
export interface AdamSettings {
  /** α, above 0. */
  readonly learningRate: number;
  /** β₁ in [0, 1), the decay of the mean gradient. Default 0.9. */
  readonly beta1?: number | undefined;
}

/**
 * The heavy ball that Adam's first moment is, once its preconditioner changes slowly and its bias correction has died out:
 *
 *     μ' = β₁ μ + (1−β₁) g,  θ' = θ − α D⁻¹ μ'    is    θ' = θ + m(θ − θ₋) − η D⁻¹ g,   m = β₁,  η = α(1−β₁)
 *
 * with D = √v̂ + ε fixed. Give the result to any function here beside a system of J D^(−1/2) in place of J. Its deterministic edge,
 * ηλ_max = 2(1+m), is λ_max(D⁻¹H) = (2+2β₁)/((1−β₁)α): Cohen et al. 2022, arXiv:2207.14484. For RMSProp β₁ = 0.
 *
 * L2 in the gradient is the same `weightDecay` for both (in the preconditioned coordinates); decoupled decay, AdamW's, is not covered.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function adamAsHeavyBall(settings: AdamSettings): { readonly learningRate: number; readonly momentum: number } {
  const where = "adamAsHeavyBall";
  checkOptions(where, "settings", settings);
  const { learningRate, beta1 = 0.9 } = settings;
  checkPositive(where, "learningRate", learningRate);
  checkNumber(where, "beta1", beta1, (x) => x >= 0 && x < 1, "a number in [0, 1)");
  return { learningRate: learningRate * (1 - beta1), momentum: beta1 };
}
