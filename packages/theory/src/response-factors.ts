/** G ≈ Σ_k a_k a_kᵀ, and how far off. */
export interface ResponseFactors {
  /** a_k, [rank] each: `a_k[μ]` belongs to eigenvalue μ. */
  readonly factors: readonly Float64Array[];
  /** The largest entry of G − Σ_k a_k a_kᵀ: no noise kernel norm is further from its value with G itself. */
  readonly error: number;
}

/**
 * The response matrix G_μν by a few of its columns: pivoted Cholesky. For plain SGD G is a Cauchy matrix, ηc/(x_μ + x_ν) with
 * x = 1/λ − η/2 for κ = 1, so its singular values fall like exp(−π²k/log(4 x_max/x_min)): a handful of terms.
 *
 * Where G is positive semidefinite the remainder E is too. Then no entry of E exceeds the largest on its diagonal, the map
 * W ↦ bd(V[(VᵀWV)∘E]Vᵀ) keeps positive semidefinite blocks positive, and 0 ≤ K − K' ≤ max_μ E_μμ for the norm K' with the factors
 * alone: docs/theory/noise-kernel.md. O(k²·rank), and k·rank entries of G.
 *
 * @param response G as a function of two eigenvalues
 * @param tolerance stops when the largest entry that is left is no more
 * @param most stops at this many factors
 */
export function responseFactors(
  eigenvalues: Float64Array,
  response: (lambda: number, other: number) => number,
  tolerance: number,
  most: number,
): ResponseFactors {
  const rest = eigenvalues.map((lambda) => response(lambda, lambda));
  const factors: Float64Array[] = [];
  for (;;) {
    const pivot = largestAt(rest);
    const error = Math.max(0, rest[pivot] ?? 0);
    if (error <= tolerance || factors.length === most) return { factors, error };
    const lambda = eigenvalues[pivot]!;
    const column = eigenvalues.map((other) => response(other, lambda));
    for (const factor of factors) {
      const share = factor[pivot]!;
      for (let mu = 0; mu < column.length; mu++) column[mu]! -= share * factor[mu]!;
    }
    const scale = 1 / Math.sqrt(error);
    for (let mu = 0; mu < column.length; mu++) {
      column[mu]! *= scale;
      rest[mu]! -= column[mu]! * column[mu]!;
    }
    rest[pivot] = 0;
    factors.push(column);
  }
}

function largestAt(values: Float64Array): number {
  let at = 0;
  for (let mu = 1; mu < values.length; mu++) if (values[mu]! > values[at]!) at = mu;
  return at;
}
