import { multiplySymmetricSingleInto } from "@sedge/linalg";
import { symmetrise } from "./blocks.js";
import { bandKernel, LANES } from "./band-kernel.js";
import type { LinearSystem } from "./linear-system.js";
import { scratchSingles } from "./scratch.js";

/**
 * W ↦ bd(V[(VᵀWV) ∘ Σ_k a_k a_kᵀ]Vᵀ) in single precision, as Σ_k bd(M_k W M_k) with M_k = V diag(a_k) Vᵀ: block i is
 * Σ_kj M_k[ij] W_j M_k[ij]ᵀ, 1.5·k·N²C³ multiplications a product instead of (NC)²·rank. To set up it takes half a matrix product for
 * each k.
 *
 * @param factors a_k, [rank] each
 * @returns writes the image of blocks' symmetric part, [N, C, C], into `result`; in use until the next call of this function. Null where
 *   there is no WebAssembly with SIMD, or not enough memory.
 */
export function compressedMap(
  { examples, outputs, size, rank, modes }: LinearSystem,
  factors: readonly Float64Array[],
): ((blocks: Float64Array, result: Float64Array) => void) | null {
  const groups = Math.ceil(examples / LANES);
  const block = outputs * outputs;
  const band = examples * block * LANES; // M_k for the examples of one group
  const count = factors.length;
  const sums = examples * block;
  const sumLength = ((outputs * (outputs + 1)) / 2) * LANES;
  const matrices = sums + sumLength;
  const kernel = bandKernel(outputs, matrices + groups * count * band);
  if (kernel === null) return null;
  const { memory, multiply } = kernel;

  const product = scratchSingles("kernel", size * size);
  const scaled = scratchSingles("modes", size * rank);
  const single = scratchSingles("covariance", size * rank);
  single.set(modes);
  // The lanes of examples that the last group lacks.
  memory.fill(0, matrices + (groups - 1) * count * band, matrices + groups * count * band);
  factors.forEach((factor, k) => {
    const scales = Float32Array.from(factor);
    for (let at = 0; at < scaled.length; at += rank)
      for (let mu = 0; mu < rank; mu++) scaled[at + mu] = scales[mu]! * single[at + mu]!;
    multiplySymmetricSingleInto(product, scaled, single, { size, inner: rank, transposeB: true });
    for (let group = 0; group < groups; group++) {
      const to = matrices + (group * count + k) * band;
      interleave(memory, to, product, group * LANES, examples, outputs);
    }
  });

  return (blocks, result) => {
    symmetrise(memory, blocks, examples, outputs);
    for (let group = 0; group < groups; group++) {
      memory.fill(0, sums, sums + sumLength);
      multiply(4 * sums, 4 * (matrices + group * count * band), 0, count, examples);
      for (let i = group * LANES; i < Math.min(examples, (group + 1) * LANES); i++) {
        let at = sums + (i % LANES);
        for (let a = 0; a < outputs; a++) {
          for (let b = 0; b <= a; b++, at += LANES)
            result[i * block + a * outputs + b] = result[i * block + b * outputs + a] = memory[at]!;
        }
      }
    }
  };
}

/**
 * The rows of LANES examples i, `first` and on, with their lanes side by side: [j, a, b, LANES] from the upper triangle of a symmetric
 * [i, a, j, b].
 */
function interleave(
  memory: Float32Array,
  to: number,
  matrix: Float32Array,
  first: number,
  examples: number,
  outputs: number,
): void {
  const size = examples * outputs;
  const block = outputs * outputs * LANES;
  const lanes = Math.min(LANES, examples - first);
  // Right of the diagonal rows are read; left of it columns, a row of them at a time.
  for (let j = 0; j < first; j++) {
    const at = to + j * block;
    for (let b = 0; b < outputs; b++) {
      const row = (j * outputs + b) * size + first * outputs;
      for (let lane = 0; lane < lanes; lane++)
        for (let a = 0; a < outputs; a++)
          memory[at + (a * outputs + b) * LANES + lane] = matrix[row + lane * outputs + a]!;
    }
  }
  for (let lane = 0; lane < lanes; lane++) {
    for (let a = 0; a < outputs; a++) {
      const diagonal = (first + lane) * outputs + a;
      const row = diagonal * size;
      for (let j = first; j < examples; j++) {
        let at = to + j * block + a * outputs * LANES + lane;
        for (let column = j * outputs; column < (j + 1) * outputs; column++, at += LANES)
          memory[at] = column < diagonal ? matrix[column * size + diagonal]! : matrix[row + column]!;
      }
    }
  }
}
