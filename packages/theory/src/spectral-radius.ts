import { responsePerron } from "./exact-noise-kernel.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { modeRadius, pairResponse } from "./response.js";
import { bracketedRoot } from "./root.js";
import { resolveDynamics, type SgdSettings } from "./settings.js";

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
  const { eigenvalues, rank, size } = system;
  const untouched = rank < size ? modeRadius(0, dynamics) ** 2 : 0;
  let mean = 0;
  for (const lambda of eigenvalues) mean = Math.max(mean, modeRadius(lambda, dynamics) ** 2);
  if (rank === 0 || dynamics.c === 0) return Math.max(mean, untouched);

  let start: Float64Array = new Float64Array(system.examples * system.outputs ** 2); // zeros: the identity
  /** 1/K − 1 at ρ: increasing, nearly linear, and 0 at the eigenvalue. */
  const excess = (rho: number): number => {
    const growth = rho - 1;
    const { value, perron } = responsePerron(
      system,
      (lambda, other) => pairResponse(lambda, other, dynamics, growth),
      1e-12,
      start,
    );
    start = perron;
    return 1 / value - 1;
  };
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
  return Math.max(bracketedRoot(excess, low, high, valueLow, valueHigh, 1e-13), untouched);
}
