import type { Random } from "@sedge/linalg";
import type { Split } from "../data/dataset.js";
import type { Params } from "../models/model.js";
import type { CurvatureOperator } from "./curvature-operator.js";
import { topEigenpairs } from "./top-eigenpairs.js";

export interface SharpnessOptions {
  /** Source of the random start, or of the random part of a warm one. */
  readonly random: Random;
  /** A former leading eigenvector [P], to start near. */
  readonly start?: Float64Array;
  /**
   * Largest ‖Hv − λv‖ relative to the largest Ritz value. The error of the value is of its square over the gap: with the
   * default, 1e-3, some 1e-5 (docs/studies/mnist-three-learning-rates.md). Much above it, a warm start can settle on an
   * eigenvalue that used to be the largest.
   */
  readonly tolerance?: number;
  /** Most Hessian-vector products. Default 100. */
  readonly maxIterations?: number;
  /** Looked at before each product; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

export interface Sharpness {
  /** λ_max of the Hessian, unit 1/η. */
  readonly value: number;
  /** ‖Hv − λv‖: an eigenvalue lies within this of `value`. */
  readonly ritzResidual: number;
  /** Its unit eigenvector [P]. */
  readonly vector: Float64Array;
  /** Hessian-vector products spent. */
  readonly products: number;
  readonly converged: boolean;
}

/** λ_max of the Hessian over a whole split, by Lanczos with its recurrence in float64. */
export async function sharpness(
  hessian: CurvatureOperator,
  params: Params,
  split: Split,
  { random, start, tolerance = 1e-3, maxIterations = 100, signal }: SharpnessOptions,
): Promise<Sharpness> {
  const { values, vectors, ritzResiduals, products, converged } = await topEigenpairs(await hessian.at(params, split), {
    random,
    ...(start && { start: [start] }),
    tolerance,
    maxProducts: maxIterations,
    signal,
  });
  return { value: values[0]!, ritzResidual: ritzResiduals[0]!, vector: vectors[0]!, products, converged };
}
