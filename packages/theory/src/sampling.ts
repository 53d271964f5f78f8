import { checkChoice, checkInteger } from "./errors.js";

/**
 * How a minibatch of B of N examples is drawn.
 *
 * - `without-replacement`: B distinct examples, every step afresh.
 * - `with-replacement`: B independent draws.
 * - `bernoulli`: each example with probability B/N, so that B is the mean batch size: the paper's large-N form.
 * - `epoch-shuffle`: consecutive slices of a fresh permutation each epoch. Simulated as such; the theory, which has no memory
 *   of the epoch, counts it as `without-replacement`.
 */
export type Sampling = "without-replacement" | "with-replacement" | "bernoulli" | "epoch-shuffle";

export const samplings = ["without-replacement", "with-replacement", "bernoulli", "epoch-shuffle"] as const;

/** E[P M P]/β² = κ·M + c·bd(M), with P the diagonal of draw counts and β = B/N. */
export interface SamplingCoefficients {
  /** κ: what is left of the covariance between two examples' draws, 1 if they are independent. At most 1. */
  readonly kappa: number;
  /** c: the strength of the minibatch noise, at least 0, and 0 for the full batch. */
  readonly c: number;
}

/**
 * The sampling coefficients κ and c of docs/theory/setting.md.
 *
 * @param examples N, at least 1
 * @param batchSize B, an integer from 1 to N
 * @throws TheoryRangeError or TheoryTypeError for anything else
 */
export function samplingCoefficients(sampling: Sampling, examples: number, batchSize: number): SamplingCoefficients {
  const where = "samplingCoefficients";
  checkChoice(where, "sampling", sampling, samplings);
  checkInteger(where, "examples", examples, 1);
  checkInteger(where, "batchSize", batchSize, 1, examples);
  return coefficientsAt(sampling, examples, batchSize);
}

/** As `samplingCoefficients`, unchecked, and for a real B: what solving for a critical batch size needs. */
export function coefficientsAt(sampling: Sampling, examples: number, batchSize: number): SamplingCoefficients {
  const inverseShare = examples / batchSize;
  switch (sampling) {
    case "bernoulli":
      return { kappa: 1, c: inverseShare - 1 };
    case "with-replacement":
      return { kappa: 1 - 1 / batchSize, c: inverseShare };
    case "without-replacement":
    case "epoch-shuffle": {
      if (examples === 1) return { kappa: 1, c: 0 }; // B = N = 1, where the formula is 0/0
      // B(B−1)/(N(N−1))/β² and 1/β − κ, arranged so that B = N gives exactly 1 and 0.
      const kappa = (inverseShare * (batchSize - 1)) / (examples - 1);
      return { kappa, c: (inverseShare * (examples - batchSize)) / (examples - 1) };
    }
  }
}
