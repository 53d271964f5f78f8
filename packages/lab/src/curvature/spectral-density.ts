import { BadInput } from "../errors.js";
import { estimateOf } from "./estimate.js";
import type { SpectralQuadrature } from "./spectral-quadrature.js";

export interface SpectralDensityOptions {
  /** Points of the grid. Default 400. */
  readonly points?: number;
  /** Standard deviation of the Gaussian in place of each Ritz value. Default: 1 % of the spectrum's range. */
  readonly width?: number;
}

/** A spectrum as a curve. Plain data. */
export interface SpectralDensity {
  /** Eigenvalues, ascending and evenly spaced, three widths past the extreme Ritz values. */
  readonly grid: readonly number[];
  /** Share of the eigenvalues in a unit interval about each: its integral is 1. Times `size`, eigenvalues a unit. */
  readonly density: readonly number[];
  /** Of the density at each point, over the random vectors. */
  readonly standardError: readonly number[];
  readonly width: number;
  readonly size: number;
}

/**
 * The density of a spectrum, each Ritz value broadened to a Gaussian: what is finer than its width is not resolved.
 *
 * @throws BadInput if the width is not above 0, or there are fewer than two points.
 */
export function spectralDensity(
  { size, probes }: SpectralQuadrature,
  { points = 400, width: chosen }: SpectralDensityOptions = {},
): SpectralDensity {
  if (!(Number.isInteger(points) && points >= 2)) {
    throw new BadInput(`spectralDensity: points: expected a whole number of at least 2, got ${points}.`);
  }
  const lowest = Math.min(...probes.map(({ nodes }) => nodes[0]!));
  const highest = Math.max(...probes.map(({ nodes }) => nodes.at(-1)!));
  const width = chosen ?? (highest > lowest ? 0.01 * (highest - lowest) : 0.01 * Math.abs(highest) || 1);
  if (!(width > 0)) throw new BadInput(`spectralDensity: width: expected a number above 0, got ${width}.`);
  const start = lowest - 3 * width;
  const step = (highest + 3 * width - start) / (points - 1);
  const grid = Array.from({ length: points }, (_, i) => start + i * step);
  const peak = 1 / (width * Math.sqrt(2 * Math.PI));
  const estimates = grid.map((x) =>
    estimateOf(
      probes.map(({ nodes, weights }) =>
        nodes.reduce((sum, node, k) => sum + weights[k]! * peak * Math.exp(-0.5 * ((x - node) / width) ** 2), 0),
      ),
    ),
  );
  return {
    grid,
    density: estimates.map(({ value }) => value),
    standardError: estimates.map(({ standardError }) => standardError),
    width,
    size,
  };
}
