import type { Dynamics } from "./settings.js";

/**
 * The stationary response of a pair of modes to the minibatch noise that reaches it:
 *
 *     G_μν = η²c λ_μλ_ν / ( {(1−m)²[(1+m)(p+q) − pq] + m(p−q)²}/(1−m²) − η²(κ−1)λ_μλ_ν ),   p = η(λ_μ+δ), q = η(λ_ν+δ)
 *
 * For m = δ = 0 and κ = 1 it is ηc λ_μλ_ν/(λ_μ + λ_ν − ηλ_μλ_ν), Σ_t of the noise's decay ((1−p)(1−q))^t. See
 * docs/theory/response.md.
 *
 * With `growth` ε it is the response to noise that grows by a factor ρ = 1 + ε a step: the second-moment operator's resolvent
 * at ρ. Written as the value at ρ = 1 plus ε times a factor, so that nothing cancels near 1.
 *
 * Defined inside the deterministic edge, η(λ+δ) < 2(1+m) for both, or for ρ above the square of the
 * deterministic spectral radius; 0 if either mode is null.
 */
export function pairResponse(lambda: number, other: number, dynamics: Dynamics, growth = 0): number {
  if (lambda === 0 || other === 0) return 0;
  const { learningRate, momentum: m, weightDecay, kappa, c } = dynamics;
  const p = learningRate * (lambda + weightDecay);
  const q = learningRate * (other + weightDecay);
  const noise = learningRate * lambda * (learningRate * other);
  // Expanded on purpose: 1 − (1−p)(1−q) loses every digit of a small p.
  let damping = ((1 - m) / (1 + m)) * ((1 + m) * (p + q) - p * q) + (m * (p - q) ** 2) / (1 - m * m);
  if (growth !== 0) {
    const rho = 1 + growth;
    const first = 1 + m - p;
    const second = 1 + m - q;
    const squares = first * first + second * second;
    const excess = squares * (rho + m * m) - 2 * m * first * second * (1 + rho);
    damping += growth * (1 + (m * m) / rho - (m * excess) / ((rho * rho - m * m) * (1 - m * m)));
  }
  return (c * noise) / (damping - (kappa - 1) * noise);
}

/**
 * The spectral radius of the mean's dynamics in a mode, z' = (1+m−p)z − m z₋: the larger root modulus of x² − (1+m−p)x + m.
 */
export function modeRadius(lambda: number, { learningRate, momentum, weightDecay }: Dynamics): number {
  const p = learningRate * (lambda + weightDecay);
  if (p === 0) return 1; // the roots are 1 and m, which the formula gives up to rounding
  const half = 0.5 * (1 + momentum - p);
  const discriminant = half * half - momentum;
  return discriminant < 0 ? Math.sqrt(momentum) : Math.abs(half) + Math.sqrt(discriminant);
}

/** η(λ_max+δ) / (2(1+m)): 1 on the deterministic edge, above it beyond. Without momentum and weight decay ηλ_max/2. */
export function deterministicRatio(lambdaMax: number, dynamics: Dynamics): number {
  return (dynamics.learningRate * (lambdaMax + dynamics.weightDecay)) / (2 * (1 + dynamics.momentum));
}
