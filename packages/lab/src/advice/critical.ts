import {
  criticalBatchSize,
  criticalLearningRate,
  linearSystem,
  type LinearSystem,
  type SgdSettings,
} from "@sedge/theory";
import type { Measured } from "./measured.js";

/** Where a run would stand on the stochastic edge, and where it would be at the K that is aimed for. */
export interface CriticalValues {
  /** The η at which K = 1, at the run's B. Infinity for a kernel of zeros. */
  readonly learningRate: Measured;
  /** The B at which K = 1, at the run's η: a real number of at least 1. Infinity past the deterministic edge, which no batch cures. */
  readonly batchSize: Measured;
  /** The B above which, at the run's η, the deterministic edge is the nearer one. Infinity where the stochastic one always is. */
  readonly deterministicAbove: Measured;
  /** η*(B) and B*(η) for a K below 1, if one was asked for. */
  readonly aim?: { readonly target: number; readonly learningRate: Measured; readonly batchSize: Measured };
}

/**
 * Solves for K = 1 on a probe, and on its two halves for the error bars: half their difference, as for K itself.
 *
 * @param system  The probe's, in random order.
 * @param deterministicRatio  The run's distance to the deterministic edge, 1 on it.
 * @param target  K to aim for, beside 1. Default none.
 */
export function criticalValues(
  system: LinearSystem,
  settings: SgdSettings & { readonly population: number },
  deterministicRatio: number,
  target?: number,
): CriticalValues {
  const { batchSize, learningRate, ...dynamics } = settings;
  const halves = halfSystems(system);
  const both = (solve: (system: LinearSystem) => number): Measured => {
    const [a = NaN, b = NaN] = halves.map(solve);
    return { value: solve(system), standardError: Math.abs(a - b) / 2 };
  };
  const rateFor = (target: number) =>
    both((some) => criticalLearningRate(some, { ...dynamics, batchSize, target }).value);
  const batchFor = (target: number) =>
    both((some) => criticalBatchSize(some, { ...dynamics, learningRate, target }).value);
  return {
    learningRate: rateFor(1),
    batchSize: batchFor(1),
    deterministicAbove:
      deterministicRatio > 0 && deterministicRatio < 1
        ? batchFor(deterministicRatio)
        : { value: deterministicRatio >= 1 ? 1 : Infinity, standardError: NaN },
    ...(target !== undefined && { aim: { target, learningRate: rateFor(target), batchSize: batchFor(target) } }),
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
