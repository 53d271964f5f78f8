import { flattenParams, type Params, type ParamSpec } from "../models/model.js";
import type { SymmetricOperator } from "./curvature-operator.js";

/** D^{-1/2} A D^{-1/2}, D > 0 of every parameter; A itself without a D. */
export function preconditioned(
  operator: SymmetricOperator,
  specs: readonly ParamSpec[],
  preconditioner: Params | null | undefined,
): SymmetricOperator {
  if (!preconditioner) return operator;
  const root = flattenParams(specs, preconditioner).map((d) => 1 / Math.sqrt(d));
  const scaled = (vector: Float64Array) => vector.map((x, k) => x * root[k]!);
  return { size: operator.size, apply: async (vector) => scaled(await operator.apply(scaled(vector))) };
}
