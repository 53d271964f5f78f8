import { diagonalPerron } from "./diagonal-noise-kernel.js";
import { responsePerron } from "./exact-noise-kernel.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { modeRadius, pairResponse } from "./response.js";
import { bracketedRoot } from "./root.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";

/**
 * The spectral radius ρ of SGD's second-moment operator on E[(z_t, z_{t−1})(z_t, z_{t−1})ᵀ], the full (2NC)² of it: the
 * factor by which the expected squared residual grows each step in the end. On either side of both edges.
 *
 * Matrix-free, and by symmetric eigenproblems only. The operator is D + 𝒩, what happens in the mean and the noise, and 𝒩 sees
 * its argument through bd alone. So ρ above D's own radius is an eigenvalue iff W ↦ bd((ρ − D)⁻¹ 𝒩 W) has eigenvalue 1: a
 * noise kernel norm with G at ρ, decreasing in ρ. At ρ = 1 it is K, hence K = 1 ⇔ ρ = 1. See docs/theory/edges.md.
 *
 * Null modes that no gradient reaches keep their residual: without weight decay they hold ρ at 1 or above.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function spectralRadius(system: LinearSystem, settings: SgdSettings): number {
  const where = "spectralRadius";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  let start: Float64Array = new Float64Array(system.examples * system.outputs ** 2); // zeros: the identity
  const kernel = (growth: number): number => {
    const response = (lambda: number, other: number) => pairResponse(lambda, other, dynamics, growth);
    const { value, perron } = responsePerron(system, response, NORM_ACCURACY, start);
    start = perron;
    return value;
  };
  return radiusFromKernel(system, dynamics, kernel);
}

/**
 * The growth factor of the diagonal approximation, λ_max(A + B) of docs/theory/noise-kernel.md, or of its form for momentum: 1 exactly
 * where `diagonalNoiseKernel` is 1. At most `spectralRadius`.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function diagonalSpectralRadius(system: LinearSystem, settings: SgdSettings): number {
  const where = "diagonalSpectralRadius";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  let start: Float64Array | undefined;
  return radiusFromKernel(system, dynamics, (growth) => {
    const { value, blocks } = diagonalPerron(system, dynamics, NORM_ACCURACY, start, growth);
    start = blocks;
    return value;
  });
}

const NORM_ACCURACY = 1e-12;
const RADIUS_ACCURACY = 1e-13;

/** The ρ at which a noise kernel norm, as a function of the growth ρ − 1, is 1; what no gradient reaches has its own. */
function radiusFromKernel(
  { eigenvalues, rank, size }: LinearSystem,
  dynamics: Dynamics,
  kernel: (growth: number) => number,
): number {
  const untouched = rank < size ? modeRadius(0, dynamics) ** 2 : 0;
  let mean = 0;
  for (const lambda of eigenvalues) mean = Math.max(mean, modeRadius(lambda, dynamics) ** 2);
  if (rank === 0 || dynamics.c === 0) return Math.max(mean, untouched);
  /** 1/K − 1 at ρ: increasing, nearly linear, and 0 at the eigenvalue. */
  const excess = (rho: number): number => 1 / kernel(rho - 1) - 1;
  // Noise only adds (E[AΣAᵀ] ⪰ E[A]ΣE[A]ᵀ), so ρ is no less than the mean's; just above it, where G has no pole.
  let low = mean * (1 + 1e-11);
  let valueLow = excess(low);
  if (valueLow >= 0) return Math.max(mean, untouched);
  let high = low;
  let valueHigh = valueLow;
  for (let step = Math.max(0.01, 0.1 * low); valueHigh < 0; step *= 4) {
    [low, valueLow] = [high, valueHigh];
    high += step;
    valueHigh = excess(high);
  }
  return Math.max(bracketedRoot(excess, low, high, valueLow, valueHigh, RADIUS_ACCURACY), untouched);
}
