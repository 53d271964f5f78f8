import type { Graph } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { openHessian, type SymmetricOperator } from "../curvature/curvature-operator.js";
import { spectralDensity } from "../curvature/spectral-density.js";
import { spectralQuadrature } from "../curvature/spectral-quadrature.js";
import type { Split } from "../data/dataset.js";
import { flattenParams, type Params, type ParamSpec } from "../models/model.js";
import type { SpectrumCurve } from "./report-data.js";

export interface SpectrumOptions {
  readonly seed: number;
  /** D > 0: the Hessian becomes D^{-1/2} H D^{-1/2}. */
  readonly preconditioner?: Params | undefined;
  /** Random vectors, at least 2, and products for each. */
  readonly probes: number;
  readonly iterations: number;
  readonly threads: number;
  /** Bytes, of one product, and of a Lanczos basis. */
  readonly memoryBudget: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before each product. */
  readonly onProduct?: (product: number, total: number) => void;
}

/** The density of the Hessian's eigenvalues over a split, by stochastic Lanczos quadrature. */
export async function measureSpectrum(
  objective: Graph,
  specs: readonly ParamSpec[],
  params: Params,
  split: Split,
  { seed, preconditioner, probes, iterations, threads, memoryBudget, signal, onProduct }: SpectrumOptions,
): Promise<SpectrumCurve> {
  const hessian = await openHessian(objective, specs, { threads, memoryBudget });
  try {
    const operator = counted(preconditioned(await hessian.at(params, split), specs, preconditioner), (product) =>
      onProduct?.(product, probes * iterations),
    );
    const random = createRandom(`measure spectrum, ${seed}`);
    const quadrature = await spectralQuadrature(operator, { probes, iterations, random, memoryBudget, signal });
    const { grid, density, standardError, width, size } = spectralDensity(quadrature);
    const matrix = preconditioner === undefined ? "Hessian" : "preconditioned Hessian";
    const description = `${matrix} on ${split.examples} examples, ${probes} random vectors, ${iterations} products each`;
    return { description, size, grid, density, standardError, width };
  } finally {
    await hessian.dispose();
  }
}

/** D^{-1/2} A D^{-1/2}. */
export function preconditioned(
  operator: SymmetricOperator,
  specs: readonly ParamSpec[],
  preconditioner: Params | undefined,
): SymmetricOperator {
  if (preconditioner === undefined) return operator;
  const root = flattenParams(specs, preconditioner).map((d) => 1 / Math.sqrt(d));
  const scaled = (vector: Float64Array) => vector.map((x, k) => x * root[k]!);
  return { size: operator.size, apply: async (vector) => scaled(await operator.apply(scaled(vector))) };
}

function counted(operator: SymmetricOperator, onProduct: (product: number) => void): SymmetricOperator {
  let products = 0;
  return {
    size: operator.size,
    apply(vector) {
      onProduct(products++);
      return operator.apply(vector);
    },
  };
}
