import type { Random } from "@sedge/linalg";
import { BadInput } from "../errors.js";
import type { SymmetricOperator } from "./curvature-operator.js";
import { estimateOf, scaled, withStandardError, type Estimate } from "./estimate.js";
import { inner } from "./neighbours/vectors.js";
import { randomSigns } from "./spectral-quadrature.js";

export interface TraceOptions {
  /** Products with the operator. Default 30. */
  readonly products?: number;
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
}

/**
 * tr A as the mean of vᵀAv over vectors of random signs (Hutchinson 1990). Its variance is 2‖A‖²_F less the diagonal's part, and the
 * standard error at least that by ‖A‖²_F = E‖Av‖²: vectors that all have little of a large eigenvector agree with each other, and the
 * fourth powers in their spread show it less than the squares in ‖Av‖² do.
 *
 * @throws BadInput if there are fewer than two products, which leave no error bar.
 */
export async function hutchinson(
  operator: SymmetricOperator,
  { products = 30, random, signal }: TraceOptions,
): Promise<Estimate> {
  requireProducts("hutchinson", products, 2);
  const samples = [];
  let squares = 0;
  for (let i = 0; i < products; i++) {
    signal?.throwIfAborted();
    const v = randomSigns(operator.size, random);
    const image = await operator.apply(v);
    samples.push(inner(v, image));
    squares += inner(image, image);
  }
  const spread = estimateOf(samples);
  return withStandardError(spread, Math.max(spread.standardError, Math.sqrt(2 * squares) / products));
}

/**
 * tr A by Hutch++ (Meyer, Musco, Musco and Woodruff 2021): exactly on the space that a third of the products find, which holds most
 * of a spectrum that decays, and by Hutchinson's mean on the rest. The error bar is that mean's.
 *
 * @throws BadInput if there are fewer than six products.
 */
export async function hutchPlusPlus(
  operator: SymmetricOperator,
  { products = 60, random, signal }: TraceOptions,
): Promise<Estimate> {
  requireProducts("hutchPlusPlus", products, 6);
  const { size } = operator;
  const third = Math.min(Math.floor(products / 3), size);
  const apply = async (v: Float64Array) => {
    signal?.throwIfAborted();
    return (await operator.apply(v)).slice();
  };
  const basis: Float64Array[] = [];
  for (let i = 0; i < third; i++) {
    const image = await apply(randomSigns(size, random));
    const length = Math.sqrt(inner(image, image));
    // Twice: once leaves what rounding makes of a large component.
    removeAlong(image, basis);
    removeAlong(image, basis);
    const left = Math.sqrt(inner(image, image));
    if (left > 1e-10 * length) basis.push(image.map((x) => x / left));
  }
  let exact = 0;
  for (const q of basis) exact += inner(q, await apply(q));
  if (basis.length === size) return { value: exact, standardError: 0, low: exact, high: exact, samples: third };
  const samples = [];
  for (let i = 0; i < Math.max(2, products - third - basis.length); i++) {
    const v = randomSigns(size, random);
    removeAlong(v, basis);
    samples.push(inner(v, await apply(v)));
  }
  return scaled(estimateOf(samples), 1, exact);
}

/** K_trace = η tr Θ/(2BC(1 − m)) of an estimated tr Θ, the trace of the Gauss–Newton matrix (theory.md §3.4). */
export function traceKernelEstimate(
  trace: Estimate,
  settings: {
    readonly learningRate: number;
    readonly batchSize: number;
    readonly outputs: number;
    readonly momentum?: number;
  },
): Estimate {
  const { learningRate, batchSize, outputs, momentum = 0 } = settings;
  return scaled(trace, learningRate / (2 * batchSize * outputs * (1 - momentum)));
}

function removeAlong(x: Float64Array, basis: readonly Float64Array[]): void {
  for (const q of basis) {
    const along = inner(q, x);
    for (let i = 0; i < x.length; i++) x[i]! -= along * q[i]!;
  }
}

function requireProducts(where: string, products: number, least: number): void {
  if (Number.isInteger(products) && products >= least) return;
  throw new BadInput(`${where}: products: expected a whole number of at least ${least}, got ${products}.`);
}
