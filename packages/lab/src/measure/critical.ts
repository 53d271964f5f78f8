import {
  criticalBatchSize,
  criticalLearningRate,
  linearSystem,
  type LinearSystem,
  type SgdSettings,
} from "@sedge/theory";

/** A number with its standard error; NaN where that cannot be known. */
export interface Measured {
  readonly value: number;
  readonly standardError: number;
}

/** Where a run would stand on the stochastic edge. */
export interface CriticalValues {
  /** The η at which K = 1, at the run's B. Infinity for a kernel of zeros. */
  readonly learningRate: Measured;
  /** The B at which K = 1, at the run's η: a real number of at least 1. Infinity past the deterministic edge, which no batch cures. */
  readonly batchSize: Measured;
  /** The B above which, at the run's η, the deterministic edge is the nearer one. Infinity where the stochastic one always is. */
  readonly deterministicAbove: Measured;
}

/**
 * Solves for K = 1 on a probe, and on its two halves for the error bars: half their difference, as for K itself.
 *
 * @param system  The probe's, in random order.
 * @param deterministicRatio  The run's distance to the deterministic edge, 1 on it.
 */
export function criticalValues(
  system: LinearSystem,
  settings: SgdSettings & { readonly population: number },
  deterministicRatio: number,
): CriticalValues {
  const { batchSize, learningRate, ...dynamics } = settings;
  const halves = halfSystems(system);
  const both = (solve: (system: LinearSystem) => number): Measured => {
    const [a = NaN, b = NaN] = halves.map(solve);
    return { value: solve(system), standardError: Math.abs(a - b) / 2 };
  };
  const batch = (target: number) => (some: LinearSystem) =>
    criticalBatchSize(some, { ...dynamics, learningRate, target }).value;
  return {
    learningRate: both((some) => criticalLearningRate(some, { ...dynamics, batchSize }).value),
    batchSize: both(batch(1)),
    deterministicAbove:
      deterministicRatio > 0 && deterministicRatio < 1
        ? both(batch(deterministicRatio))
        : { value: deterministicRatio >= 1 ? 1 : Infinity, standardError: NaN },
  };
}

/** The first and the last ⌊n/2⌋ examples, as systems: with Θ = VΛVᵀ, J = √n VΛ^{1/2} has those rows. */
export function halfSystems({ examples, outputs, rank, eigenvalues, modes }: LinearSystem): LinearSystem[] {
  const count = Math.floor(examples / 2);
  if (count === 0 || rank === 0) return [];
  const roots = eigenvalues.map((value) => Math.sqrt(examples * value));
  return [0, examples - count].map((first) => {
    const rows = modes.slice(first * outputs * rank, (first + count) * outputs * rank);
    return linearSystem({ jacobian: rows.map((entry, k) => entry * roots[k % rank]!), examples: count, outputs });
  });
}
