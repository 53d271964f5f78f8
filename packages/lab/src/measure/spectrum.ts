import type { Graph } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { openHessian, type SymmetricOperator } from "../curvature/curvature-operator.js";
import { preconditioned } from "../curvature/preconditioned.js";
import { spectralDensity } from "../curvature/spectral-density.js";
import { spectralQuadrature } from "../curvature/spectral-quadrature.js";
import type { Split } from "../data/dataset.js";
import type { Params, ParamSpec } from "../models/model.js";
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
