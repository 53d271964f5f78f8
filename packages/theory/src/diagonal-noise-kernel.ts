import { lanczos } from "@sedge/linalg";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { deterministicRatio, pairResponse } from "./response.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";

/**
 * The paper's noise kernel norm: the second moment kept only on the diagonal of Θ's eigenbasis,
 *
 *     K = λ_max[ g_μ^½ C_μν g_ν^½ ],   g_μ = G_μμ,   C_μν = Σ_i (v_μi · v_νi)²
 *
 * with v_μi ∈ R^C the block of example i. Theorem 2.1 of arXiv:2404.19261 for m = δ = 0, κ = 1, C = 1. A lower bound on
 * the exact norm. `Infinity` at or past the deterministic edge.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function diagonalNoiseKernel(system: LinearSystem, settings: SgdSettings): number {
  checkSystem("diagonalNoiseKernel", system);
  const dynamics = resolveDynamics("diagonalNoiseKernel", system.examples, settings);
  if (deterministicRatio(system.lambdaMax, dynamics) >= 1) return Infinity;
  return diagonalPerron(system, dynamics, 1e-12).value;
}

/**
 * K_diagonal and the covariance that it stands for, as blocks bd(V diag(s) Vᵀ), [N, C, C]: the best start for the exact norm,
 * whose Rayleigh quotient there is at least K_diagonal.
 *
 * @param tolerance relative accuracy of K
 * @param start blocks [N, C, C] of an earlier, similar problem
 * @param growth as `pairResponse` has it
 */
export function diagonalPerron(
  system: LinearSystem,
  dynamics: Dynamics,
  tolerance: number,
  start?: Float64Array,
  growth = 0,
): { readonly value: number; readonly blocks: Float64Array } {
  const { examples, outputs, rank, modes, eigenvalues } = system;
  const blocks = new Float64Array(examples * outputs * outputs);
  const roots = Float64Array.from(eigenvalues, (lambda) => Math.sqrt(pairResponse(lambda, lambda, dynamics, growth)));
  if (!roots.some((root) => root > 0)) return { value: 0, blocks };

  // C x without C: for each example and pair of outputs (a, b), with F_μ = v_μ,ia v_μ,ib, add (Fᵀx)F. A pair a < b stands for two.
  const eachPair = (visit: (entry: number, mirrored: number, first: number, second: number) => void): void => {
    for (let row = 0; row < examples * outputs; row++) {
      const a = row % outputs;
      for (let b = a; b < outputs; b++)
        visit(row * outputs + b, (row - a + b) * outputs + a, row * rank, (row - a + b) * rank);
    }
  };
  const apply = (x: Float64Array, y: Float64Array): void => {
    const scaled = x.map((entry, mu) => entry * roots[mu]!);
    y.fill(0);
    eachPair((entry, mirrored, first, second) => {
      const sum = weightedDot(modes, first, second, scaled);
      blocks[entry] = blocks[mirrored] = sum;
      addProduct(y, entry === mirrored ? sum : 2 * sum, modes, first, second);
    });
    for (let mu = 0; mu < rank; mu++) y[mu]! *= roots[mu]!;
  };
  // The matrix has no negative entry, so neither has its Perron vector: the roots themselves are a positive start.
  let first = roots;
  if (start !== undefined) {
    const shares = new Float64Array(rank);
    eachPair((entry, mirrored, row, column) =>
      addProduct(shares, entry === mirrored ? start[entry]! : start[entry]! + start[mirrored]!, modes, row, column),
    );
    const least = 1e-3 * shares.reduce((most, share) => Math.max(most, share), 0);
    if (least > 0) first = roots.map((root, mu) => root * Math.max(shares[mu]!, least));
  }
  const { values, vectors } = lanczos(apply, rank, { start: first, tolerance, stop: "value" });
  apply(vectors, new Float64Array(rank)); // leaves bd(V diag(g^½ x) Vᵀ) in blocks
  return { value: values[0]!, blocks };
}

/** Σ_μ A_iμ A_jμ x_μ for two rows of a matrix, given by where they begin. */
function weightedDot(matrix: Float64Array, first: number, second: number, weights: Float64Array): number {
  let sum = 0;
  for (let mu = 0; mu < weights.length; mu++) sum += matrix[first + mu]! * matrix[second + mu]! * weights[mu]!;
  return sum;
}

/** y_μ += factor · A_iμ A_jμ for two rows of a matrix, given by where they begin. */
function addProduct(y: Float64Array, factor: number, matrix: Float64Array, first: number, second: number): void {
  for (let mu = 0; mu < y.length; mu++) y[mu]! += factor * matrix[first + mu]! * matrix[second + mu]!;
}
