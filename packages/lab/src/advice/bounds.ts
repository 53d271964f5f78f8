import type { CriticalValues } from "./critical.js";
import type { Measured } from "./measured.js";

/**
 * The factor on η that takes K to `target`, from K and the deterministic ratio r alone.
 *
 * The response of a pair of modes grows with η as η/(s − η), s = 1/λ_μ + 1/λ_ν ≥ 2/λ_max (theory.md §2, no momentum). For
 * the flattest pair it is K ∝ η, for the sharpest K ∝ η/(1 − r·η/η₀). With ρ = target/K, the factor lies between
 *
 *     ρ/(1 − r + ρr)   if all the noise were in the sharpest mode
 *     ρ                if all of it were in the flattest ones
 *
 * and the smaller of the two is on the safe side: K ends at the target or below.
 */
export function rateFactors(kernel: number, deterministic: number, target: number): { safe: number; bold: number } {
  const ratio = target / kernel;
  const r = Math.min(Math.max(Number.isNaN(deterministic) ? 0 : deterministic, 0), 1);
  const sharpest = ratio / (1 - r + ratio * r);
  return { safe: Math.min(ratio, sharpest), bold: Math.max(ratio, sharpest) };
}

/**
 * Critical values without the probe that K came from. Their error bars are as wide as the bounds: two standard errors
 * reach from the middle to either end, and those of K itself are added.
 *
 * K falls as 1/B up to a factor between 1 − r and 1/(1 − r), which is what the κ of theory.md §1 can make of it.
 */
export function boundedCriticalValues(input: {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly kernel: Measured;
  readonly deterministic: Measured;
  readonly target?: number | undefined;
}): CriticalValues {
  const { learningRate, batchSize, kernel, deterministic, target } = input;
  const ratio = deterministic.value;
  const own = Number.isFinite(kernel.standardError) ? Math.abs(kernel.standardError) / kernel.value : 0;
  const between = (low: number, high: number): Measured =>
    Number.isFinite(low) && Number.isFinite(high)
      ? { value: (low + high) / 2, standardError: (high - low) / 4 + (own * (low + high)) / 2 }
      : { value: NaN, standardError: NaN };
  const rateFor = (aim: number): Measured => {
    const { safe, bold } = rateFactors(kernel.value, ratio, aim);
    const edge = ratio > 0 ? learningRate / ratio : Infinity;
    return between(Math.min(safe * learningRate, edge), Math.min(bold * learningRate, edge));
  };
  const batchFor = (aim: number): Measured => {
    if (ratio >= 1) return { value: Infinity, standardError: NaN };
    const plain = (batchSize * kernel.value) / aim;
    const slack = 1 - (Number.isNaN(ratio) ? 0 : Math.max(0, ratio));
    return between(Math.max(1, plain * slack), Math.max(1, plain / slack));
  };
  return {
    learningRate: rateFor(1),
    batchSize: batchFor(1),
    deterministicAbove: ratio > 0 ? batchFor(ratio) : { value: Infinity, standardError: NaN },
    ...(target !== undefined && { aim: { target, learningRate: rateFor(target), batchSize: batchFor(target) } }),
  };
}
