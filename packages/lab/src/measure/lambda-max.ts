import type { Graph } from "@sedge/autodiff";
import { createRandom, lanczosAsync } from "@sedge/linalg";
import type { Split } from "../data/dataset.js";
import { openHessian } from "../curvature/curvature-operator.js";
import { preconditioned } from "../curvature/preconditioned.js";
import type { Params, ParamSpec } from "../models/model.js";
import { halvesOf } from "./halves.js";
import type { Measured } from "../advice/measured.js";

export interface LambdaMaxOptions {
  readonly seed: number;
  /** D > 0: the Hessian becomes D^{-1/2} H D^{-1/2}. */
  readonly preconditioner?: Params | undefined;
  readonly threads: number;
  /** Bytes, of one product. */
  readonly memoryBudget: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before each product; about how many there will be is a guess. */
  readonly onProduct?: (products: number) => void;
}

export interface LambdaMax {
  /** Its error: half the difference of the two halves of the examples. */
  readonly value: Measured;
  readonly ritzResidual: number;
  readonly converged: boolean;
  readonly products: number;
}

const relativeResidual = 1e-3;
/** For the halves, whose difference is a far larger number. */
const roughResidual = 1e-2;
const mostProducts = 100;

/** λ_max of the Hessian over a split, and over its halves, which start from the eigenvector of the whole. */
export async function measureLambdaMax(
  objective: Graph,
  specs: readonly ParamSpec[],
  params: Params,
  split: Split,
  { seed, preconditioner, threads, memoryBudget, signal, onProduct }: LambdaMaxOptions,
): Promise<LambdaMax> {
  const hessian = await openHessian(objective, specs, { threads, memoryBudget });
  let products = 0;
  const largest = async (some: Split, start: Float64Array, tolerance: number) => {
    const operator = preconditioned(await hessian.at(params, some), specs, preconditioner);
    const apply = (vector: Float64Array) => {
      signal?.throwIfAborted();
      onProduct?.(products++);
      return operator.apply(vector);
    };
    return lanczosAsync(apply, hessian.size, { start, tolerance, maxIterations: mostProducts });
  };
  try {
    const random = createRandom(`measure λ_max, ${seed}`).normals(hessian.size);
    const whole = await largest(split, random, relativeResidual);
    const halves: number[] = [];
    for (const half of halvesOf(split)) {
      const start = whole.vectors.map((x, k) => x + (0.1 * random[k]!) / Math.sqrt(hessian.size));
      halves.push((await largest(half, start, roughResidual)).values[0]!);
    }
    const [a = NaN, b = NaN] = halves;
    return {
      value: { value: whole.values[0]!, standardError: Math.abs(a - b) / 2 },
      ritzResidual: whole.ritzResiduals[0]!,
      converged: whole.converged,
      products,
    };
  } finally {
    await hessian.dispose();
  }
}
