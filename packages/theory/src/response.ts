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
 * at ρ.
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
  const damping = growth < -0.5 * (1 - m) ? dampingFarBelow(p, q, m, 1 + growth) : dampingNear(p, q, m, growth);
  return (c * noise) / (damping - (kappa - 1) * noise);
}

/** The inverse of Σ_t χ_μ(t)χ_ν(t) ρ^(−t−1), χ a mode's answer to a kick, as its value at ρ = 1 plus ε times a factor. */
function dampingNear(p: number, q: number, m: number, growth: number): number {
  // Expanded on purpose: 1 − (1−p)(1−q) loses every digit of a small p.
  const atOne = ((1 - m) / (1 + m)) * ((1 + m) * (p + q) - p * q) + (m * (p - q) ** 2) / (1 - m * m);
  if (growth === 0) return atOne;
  const rho = 1 + growth;
  const [first, second] = [1 + m - p, 1 + m - q];
  const excess = (first * first + second * second) * (rho + m * m) - 2 * m * first * second * (1 + rho);
  return atOne + growth * (1 + (m * m) / rho - (m * excess) / ((rho * rho - m * m) * (1 - m * m)));
}

/**
 * The same as ρ Π_ij (1 − r_i s_j/ρ) / (1 − m²/ρ²), r and s the two modes' roots of x² − (1+m−p)x + m, in which nothing cancels near
 * the deterministic spectral radius.
 */
function dampingFarBelow(p: number, q: number, m: number, rho: number): number {
  const [half, second] = [0.5 * (1 + m - p), 1 + m - q];
  const discriminant = half * half - m;
  const root = Math.sqrt(Math.abs(discriminant));
  // (1 − r s₁/ρ)(1 − r s₂/ρ) = 1 − (1+m−q) r/ρ + m r²/ρ², for both r.
  let product: number;
  if (discriminant >= 0) {
    const factor = (r: number) => 1 - (second * r) / rho + (m * r * r) / (rho * rho);
    product = factor(half + root) * factor(half - root);
  } else {
    const real = 1 - (second * half) / rho + (m * (half * half - root * root)) / (rho * rho);
    const imaginary = (-second * root) / rho + (2 * m * half * root) / (rho * rho);
    product = real * real + imaginary * imaginary;
  }
  return (rho * product) / (1 - (m / rho) ** 2);
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
