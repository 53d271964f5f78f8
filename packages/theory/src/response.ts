import type { Dynamics } from "./settings.js";

/**
 * The stationary response of a pair of modes to the minibatch noise that reaches it:
 *
 *     G_μν = η²c λ_μλ_ν / ( {(1−m)²[(1+m)(p+q) − pq] + m(p−q)²}/(1−m²) − η²(κ−1)λ_μλ_ν ),   p = η(λ_μ+δ), q = η(λ_ν+δ)
 *
 * For m = δ = 0 and κ = 1 it is ηc λ_μλ_ν/(λ_μ + λ_ν − ηλ_μλ_ν), Σ_t of the noise's decay ((1−p)(1−q))^t. See
 * docs/theory/response.md.
 *
 * Defined inside the deterministic edge, η(λ+δ) < 2(1+m) for both; 0 if either mode is null.
 */
export function pairResponse(lambda: number, other: number, dynamics: Dynamics): number {
  if (lambda === 0 || other === 0) return 0;
  const { learningRate, momentum: m, weightDecay, kappa, c } = dynamics;
  const p = learningRate * (lambda + weightDecay);
  const q = learningRate * (other + weightDecay);
  const noise = learningRate * lambda * (learningRate * other);
  // Expanded on purpose: 1 − (1−p)(1−q) loses every digit of a small p.
  const damping = ((1 - m) / (1 + m)) * ((1 + m) * (p + q) - p * q) + (m * (p - q) ** 2) / (1 - m * m);
  return (c * noise) / (damping - (kappa - 1) * noise);
}

/** η(λ_max+δ) / (2(1+m)): 1 on the deterministic edge, above it beyond. Without momentum and weight decay ηλ_max/2. */
export function deterministicRatio(lambdaMax: number, dynamics: Dynamics): number {
  return (dynamics.learningRate * (lambdaMax + dynamics.weightDecay)) / (2 * (1 + dynamics.momentum));
}
