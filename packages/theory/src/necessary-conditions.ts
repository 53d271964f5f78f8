import { checkSystem, type LinearSystem } from "./linear-system.js";
import { modeOverlaps } from "./mode-overlaps.js";
import { resolveDynamics, type SgdSettings } from "./settings.js";

/** Learning rates of plain SGD above which it cannot be stable: cheap upper bounds on `criticalLearningRate`. */
export interface NecessaryConditions {
  /** 2/λ_max: the mean must not grow. */
  readonly deterministic: number;
  /** 2/(λ(κ + c Σ_i ‖v_i‖⁴)) for the leading mode: sharp examples on one direction. */
  readonly leadingMode: number;
  /** The least of the same bound over all modes. */
  readonly anyMode: number;
  /** 2 tr Θ/(κ‖Θ‖² + c Σ_i ‖Θ_ii‖²), Frobenius norms: all directions at once. */
  readonly frobenius: number;
  /** The smallest of them. */
  readonly bound: number;
}

/**
 * Necessary conditions of linear mean-square stability after Mulayoff and Michaeli (arXiv:2306.07850), generalised from one
 * output and sampling without replacement to C outputs and every κ and c.
 *
 * Plain SGD is stable iff η·λ_max(A⁺D) < 2, with A = ½(H⊗I + I⊗H) and D = κ H⊗H + (c/N²) Σ_i H_i⊗H_i; a Rayleigh quotient at
 * one covariance, vvᵀ or I, bounds that eigenvalue from below. O(NC·rank·C), no eigenproblem beyond the system's own.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function necessaryConditions(
  system: LinearSystem,
  settings: Pick<SgdSettings, "batchSize" | "sampling" | "population">,
): NecessaryConditions {
  const where = "necessaryConditions";
  checkSystem(where, system);
  const { batchSize, sampling, population } = settings;
  const { kappa, c } = resolveDynamics(where, system.examples, { batchSize, sampling, population, learningRate: 1 });
  const { eigenvalues, rank, lambdaMax } = system;
  if (rank === 0) {
    return { deterministic: Infinity, leadingMode: Infinity, anyMode: Infinity, frobenius: Infinity, bound: Infinity };
  }
  const { self, blockNorm } = modeOverlaps(system);
  const byMode = eigenvalues.map((lambda, mu) => 2 / (lambda * (kappa + c * self[mu]!)));
  const trace = eigenvalues.reduce((sum, lambda) => sum + lambda, 0);
  const square = eigenvalues.reduce((sum, lambda) => sum + lambda * lambda, 0);
  const conditions = {
    deterministic: 2 / lambdaMax,
    leadingMode: byMode[rank - 1]!,
    anyMode: byMode.reduce((least, bound) => Math.min(least, bound), Infinity),
    frobenius: (2 * trace) / (kappa * square + c * blockNorm),
  };
  return { ...conditions, bound: Math.min(...Object.values(conditions)) };
}
