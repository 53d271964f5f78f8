/** Where a reading stands, in words. */
export interface Standing {
  readonly tone: "good" | "warn" | "bad";
  readonly text: string;
}

/**
 * @param kernel  K with its standard error, or undefined before it was measured.
 * @param ratio   λ_max·η/2.
 */
export function standing(
  kernel: { readonly exact: number; readonly standardError: number } | undefined,
  ratio: number | undefined,
): Standing | null {
  if (kernel === undefined) return null;
  if (kernel.exact === Infinity || (ratio !== undefined && ratio >= 1)) {
    return {
      tone: "bad",
      text: "Past the deterministic edge: even full-batch descent would not converge here. A network can still move to flatter ground.",
    };
  }
  // A reading within two standard errors of the edge, or a tenth, is on it.
  const near = Math.max(0.1, 2 * (Number.isFinite(kernel.standardError) ? kernel.standardError : 0));
  if (kernel.exact > 1 + near) {
    return {
      tone: "bad",
      text: "Past the stochastic edge: SGD feeds more noise back than it damps. Larger batches would help, a lower learning rate too.",
    };
  }
  if (kernel.exact >= 1 - near) {
    return { tone: "warn", text: "On the stochastic edge, where large learning rates settle: K stays at 1." };
  }
  return kernel.exact >= 0.5
    ? { tone: "good", text: "Inside both edges, near the stochastic one." }
    : { tone: "good", text: "Well inside both edges: the learning rate could be larger." };
}
