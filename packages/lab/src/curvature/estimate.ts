/** A number that was estimated from random samples, with how sure it is. Plain data: it can be stored and sent. */
export interface Estimate {
  readonly value: number;
  /** Of the mean over the samples. NaN with fewer than two of them. */
  readonly standardError: number;
  /** Ends of the 95 % confidence interval, by Student's t. */
  readonly low: number;
  readonly high: number;
  readonly samples: number;
}

/** The mean of independent samples, its standard error and 95 % confidence interval. */
export function estimateOf(samples: ArrayLike<number>): Estimate {
  const count = samples.length;
  let mean = 0;
  let squares = 0; // Σ(x − mean)², by Welford's updates
  for (let i = 0; i < count; i++) {
    const away = samples[i]! - mean;
    mean += away / (i + 1);
    squares += away * (samples[i]! - mean);
  }
  if (count === 0) return { value: NaN, standardError: NaN, low: NaN, high: NaN, samples: 0 };
  const standardError = count < 2 ? NaN : Math.sqrt(squares / (count - 1) / count);
  return { ...interval(mean, standardError, count), samples: count };
}

/** The same estimate of `shift + factor · x`. */
export function scaled({ value, standardError, samples }: Estimate, factor: number, shift = 0): Estimate {
  return { ...interval(shift + factor * value, Math.abs(factor) * standardError, samples), samples };
}

/** The same estimate with another standard error, where more is known of it than the samples tell. */
export const withStandardError = ({ value, samples }: Estimate, standardError: number): Estimate => ({
  ...interval(value, standardError, samples),
  samples,
});

function interval(value: number, standardError: number, samples: number): Omit<Estimate, "samples"> {
  const reach = samples < 2 ? NaN : studentQuantile(samples - 1) * standardError;
  return { value, standardError, low: value - reach, high: value + reach };
}

/**
 * The 97.5 % quantile of Student's t. Closed form for one and two degrees of freedom; from three on the
 * Cornish–Fisher expansion about the normal quantile (Abramowitz and Stegun 26.7.5), within 0.5 %.
 */
export function studentQuantile(degreesOfFreedom: number): number {
  if (degreesOfFreedom === 1) return Math.tan(0.475 * Math.PI);
  if (degreesOfFreedom === 2) return 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
  const z = 1.959963984540054;
  const n = degreesOfFreedom;
  return (
    z +
    (z ** 3 + z) / 4 / n +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 / n ** 2 +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 / n ** 3 +
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160 / n ** 4
  );
}
