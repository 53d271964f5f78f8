import type { Dynamics } from "./settings.js";

/**
 * The stationary response of a pair of modes to the minibatch noise that reaches it:
 *
 *     G_μν = η²c λ_μλ_ν / ( {(1−m)²[(1+m)(p+q) − pq] + m(p−q)²}/(1−m²) − η²(κ−1)λ_μλ_ν ),   p = η(λ_μ+δ), q = η(λ_ν+δ)
 *
 * For m = δ = 0 and κ = 1 it is ηc λ_μλ_ν/(λ_μ + λ_ν − ηλ_μλ_ν), Σ_t of the noise's decay ((1−p)(1−q))^t. See
 * docs/theory/response.md.
 *
 * With Nesterov's momentum the noise is made at the look-ahead point, and the response is that of E[w wᵀ], w = z + m(z − z₋).
 *
 * With `growth` ε it is the response to noise that grows by a factor ρ = 1 + ε a step: the second-moment operator's resolvent
 * at ρ.
 *
 * Defined inside the deterministic edge, η(λ+δ) < `deterministicLimit` for both, or for ρ above the square of the
 * deterministic spectral radius; 0 if either mode is null.
 */
export function pairResponse(lambda: number, other: number, dynamics: Dynamics, growth = 0): number {
  if (lambda === 0 || other === 0) return 0;
  const { learningRate, momentum: m, nesterov, weightDecay, kappa, c } = dynamics;
  const p = learningRate * (lambda + weightDecay);
  const q = learningRate * (other + weightDecay);
  const noise = learningRate * lambda * (learningRate * other);
  const [near, far] = nesterov ? [lookAheadNear, lookAheadFarBelow] : [dampingNear, dampingFarBelow];
  const damping = growth < -0.5 * (1 - m) ? far(p, q, m, 1 + growth) : near(p, q, m, growth);
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

/** The same as ρ Π_ij (1 − r_i s_j/ρ) / (1 − m²/ρ²), for ρ near the deterministic spectral radius. */
function dampingFarBelow(p: number, q: number, m: number, rho: number): number {
  return (rho * rootProduct(1 + m - p, m, 1 + m - q, m, rho)) / (1 - (m / rho) ** 2);
}

/**
 * With look-ahead: the inverse of Σ_t ω_μ(t)ω_ν(t) ρ^(−t−1), ω(t) = (1+m)χ(t) − mχ(t−1), which is the quartic ρ⁴ Π_ij (1 − r_i s_j/ρ),
 * r and s the roots of x² − (1+m)(1−p)x + m(1−p), over
 *
 *     (1+m)² ρ (ρ − m(1−p))(ρ − m(1−q)) + m² (ρ² − m²(1−p)(1−q))
 */
function lookAheadNear(p: number, q: number, m: number, growth: number): number {
  // The quartic at 1, expanded so that small modes keep their digits, and its Taylor series from there.
  const [sum, product] = [p + q, p * q];
  const atOne =
    sum * (1 - m) ** 2 * (1 + m) +
    m * sum * sum * (1 + m - m * m) +
    product * (m * sum * (3 * m * m - 1) - (1 + m * m + 2 * m * m * m) - m * m * (1 + 2 * m) * product);
  const both = (1 - p) * (1 - q);
  const square = (1 + m) ** 2;
  const cubic = -square * both;
  const quadratic = m * both * (square * (2 - sum) - 2 * m);
  const linear = -square * (m * both) ** 2;
  const slope =
    4 + 3 * cubic + 2 * quadratic + linear + growth * (6 + 3 * cubic + quadratic + growth * (4 + cubic + growth));
  return (atOne + growth * slope) / lookAheadDivisor(p, q, m, 1 + growth);
}

function lookAheadFarBelow(p: number, q: number, m: number, rho: number): number {
  const [first, second] = [1 - p, 1 - q];
  const product = rootProduct((1 + m) * first, m * first, (1 + m) * second, m * second, rho);
  return (rho ** 4 * product) / lookAheadDivisor(p, q, m, rho);
}

function lookAheadDivisor(p: number, q: number, m: number, rho: number): number {
  const [first, second] = [m * (1 - p), m * (1 - q)];
  return (1 + m) ** 2 * rho * (rho - first) * (rho - second) + m * m * (rho * rho - first * second);
}

/**
 * Π_ij (1 − r_i s_j/ρ) over the roots r of x² − bx + d and s of x² − ex + f, as a product: near the deterministic spectral radius
 * nothing cancels.
 */
function rootProduct(b: number, d: number, e: number, f: number, rho: number): number {
  const half = 0.5 * b;
  const discriminant = half * half - d;
  const root = Math.sqrt(Math.abs(discriminant));
  // (1 − r s₁/ρ)(1 − r s₂/ρ) = 1 − e r/ρ + f r²/ρ², for both r.
  if (discriminant >= 0) {
    const factor = (r: number) => 1 - (e * r) / rho + (f * r * r) / (rho * rho);
    return factor(half + root) * factor(half - root);
  }
  const real = 1 - (e * half) / rho + (f * (half * half - root * root)) / (rho * rho);
  const imaginary = (-e * root) / rho + (2 * f * half * root) / (rho * rho);
  return real * real + imaginary * imaginary;
}

/** How a mode's mean goes on, z' = gain z − lag z₋: gain 1+m−p and lag m, or (1+m)(1−p) and m(1−p) with look-ahead. */
export function modeStep(lambda: number, { learningRate, momentum: m, nesterov, weightDecay }: Dynamics) {
  const p = learningRate * (lambda + weightDecay);
  return nesterov ? { gain: (1 + m) * (1 - p), lag: m * (1 - p) } : { gain: 1 + m - p, lag: m };
}

/** The spectral radius of the mean's dynamics in a mode: the larger root modulus of x² − gain x + lag. */
export function modeRadius(lambda: number, dynamics: Dynamics): number {
  if (lambda + dynamics.weightDecay === 0) return 1; // the roots are 1 and m, which the formula gives up to rounding
  const { gain, lag } = modeStep(lambda, dynamics);
  const discriminant = 0.25 * gain * gain - lag;
  return discriminant < 0 ? Math.sqrt(lag) : 0.5 * Math.abs(gain) + Math.sqrt(discriminant);
}

/** What η(λ_max+δ) is on the deterministic edge: 2(1+m), or 2(1+m)/(1+2m) with look-ahead. */
export function deterministicLimit({
  momentum,
  nesterov,
}: {
  readonly momentum: number;
  readonly nesterov: boolean;
}): number {
  return (2 * (1 + momentum)) / (nesterov ? 1 + 2 * momentum : 1);
}

/** η(λ_max+δ) over its value on the deterministic edge: above 1 beyond it. Without momentum and weight decay ηλ_max/2. */
export function deterministicRatio(lambdaMax: number, dynamics: Dynamics): number {
  return (dynamics.learningRate * (lambdaMax + dynamics.weightDecay)) / deterministicLimit(dynamics);
}
