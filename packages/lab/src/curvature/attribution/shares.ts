import { linearSystem, noiseKernel, type ProbeNoiseKernel, type SgdSettings } from "@sedge/theory";

/** What a layer, or a parameter array, contributes. Shares sum to 1 over all of them. */
export interface Share {
  /** Of tr Θ. */
  readonly traceShare: number;
  /** Of λ_max: vᵀ Θ_l v / λ_max, v the top eigenvector of Θ. */
  readonly lambdaMaxShare: number;
  /**
   * Of the Perron vector's energy: the gradient noise of covariance Jᵀ W J that W, the covariance which feeds itself best,
   * makes in parameter space, tr(W Θ_l)/tr(W Θ). NaN where there is no W: without noise, and past the deterministic edge.
   */
  readonly perronShare: number;
  /** K exact of the network with only this Jacobian. */
  readonly noiseKernel: number;
  /** η(λ_max + δ)/(2(1+m)) of it. */
  readonly deterministicRatio: number;
}

/** K of a part need not be better than its own share is worth: 1e-4. */
const TOLERANCE = 1e-4;

/**
 * @param part  Θ_l, [n·C, n·C].
 * @param whole  Of Θ, the sum of all parts.
 */
export function shareOf(part: Float64Array, whole: ProbeNoiseKernel, settings: SgdSettings): Share {
  const { system, perron } = whole;
  const { examples, outputs, size, rank, modes } = system;
  let trace = 0;
  for (let k = 0; k < size; k++) trace += part[k * size + k]!;
  const top = Float64Array.from({ length: size }, (_, k) => (rank === 0 ? 0 : modes[k * rank + rank - 1]!));
  const { exact, deterministicRatio } = noiseKernel(linearSystem({ ntk: part, examples, outputs }), settings, {
    tolerance: TOLERANCE,
  });
  return {
    traceShare: trace / system.trace,
    lambdaMaxShare: quadraticForm(part, top) / system.lambdaMax,
    perronShare: blockTrace(part, perron, examples, outputs) / weightedTrace(whole),
    noiseKernel: exact,
    deterministicRatio,
  };
}

function quadraticForm(matrix: Float64Array, vector: Float64Array): number {
  const size = vector.length;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    let row = 0;
    for (let j = 0; j < size; j++) row += matrix[i * size + j]! * vector[j]!;
    sum += vector[i]! * row;
  }
  return sum;
}

/** tr(W M), W block-diagonal with blocks [n, C, C]. */
export function blockTrace(matrix: Float64Array, blocks: Float64Array, examples: number, outputs: number): number {
  const size = examples * outputs;
  let sum = 0;
  for (let row = 0; row < size; row++) {
    const start = row - (row % outputs);
    for (let b = 0; b < outputs; b++) sum += blocks[row * outputs + b]! * matrix[row * size + start + b]!;
  }
  return sum;
}

/** tr(W Θ) = Σ_μ λ_μ v_μᵀ W v_μ. */
function weightedTrace({ system, perron }: ProbeNoiseKernel): number {
  const { outputs, size, rank, modes, eigenvalues } = system;
  let sum = 0;
  for (let row = 0; row < size; row++) {
    const start = row - (row % outputs);
    for (let b = 0; b < outputs; b++) {
      const weight = perron[row * outputs + b]!;
      if (weight === 0) continue;
      for (let mu = 0; mu < rank; mu++)
        sum += weight * eigenvalues[mu]! * modes[row * rank + mu]! * modes[(start + b) * rank + mu]!;
    }
  }
  return sum;
}
