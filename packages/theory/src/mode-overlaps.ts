import { multiplySymmetric } from "@sedge/linalg";
import type { LinearSystem } from "./linear-system.js";

/** Σ_i ‖v_μi‖⁴ of each mode, [rank], and Σ_i ‖Θ_ii‖² over the N diagonal blocks of the kernel. */
export function modeOverlaps({ examples, outputs, rank, modes, eigenvalues }: LinearSystem) {
  const self = new Float64Array(rank);
  const norms = new Float64Array(rank);
  let blockNorm = 0;
  for (let i = 0; i < examples; i++) {
    norms.fill(0);
    for (let a = 0; a < outputs; a++) {
      const first = (i * outputs + a) * rank;
      for (let mu = 0; mu < rank; mu++) norms[mu]! += modes[first + mu]! ** 2;
      for (let b = 0; b < outputs; b++) {
        const second = (i * outputs + b) * rank;
        let entry = 0;
        for (let mu = 0; mu < rank; mu++) entry += eigenvalues[mu]! * modes[first + mu]! * modes[second + mu]!;
        blockNorm += entry * entry;
      }
    }
    for (let mu = 0; mu < rank; mu++) self[mu]! += norms[mu]! ** 2;
  }
  return { self, blockNorm };
}

/**
 * The overlaps C_μν = Σ_i (v_μi · v_νi)² of pairs of modes, [count, count], for the columns of V = [v_1 …], [N·C, count].
 *
 * (v_μi · v_νi)² is the inner product of v_μi v_μiᵀ and v_νi v_νiᵀ, so C is one Gram matrix.
 */
export function overlapMatrix(modes: Float64Array, examples: number, outputs: number, count: number): Float64Array {
  const pairs = (outputs * (outputs + 1)) / 2;
  const features = new Float64Array(examples * pairs * count);
  let row = 0;
  for (let i = 0; i < examples; i++) {
    for (let a = 0; a < outputs; a++) {
      const first = (i * outputs + a) * count;
      for (let b = a; b < outputs; b++, row += count) {
        const second = (i * outputs + b) * count;
        const weight = a === b ? 1 : Math.SQRT2; // an off-diagonal entry stands for two
        for (let mu = 0; mu < count; mu++) features[row + mu] = weight * modes[first + mu]! * modes[second + mu]!;
      }
    }
  }
  return multiplySymmetric(features, features, { size: count, inner: examples * pairs, transposeA: true });
}
