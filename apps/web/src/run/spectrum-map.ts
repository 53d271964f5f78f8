import { project, unproject, type Domain, type Scale } from "../charts/scale.js";
import type { HessianDensity, ProbeSpectrum } from "./record-data.js";

/** One spectrum of a run as counts of eigenvalues in the bins of a vertical scale, lowest bin first. */
export interface SpectrumColumn {
  readonly step: number;
  readonly counts: Float64Array;
  /** The largest eigenvalue itself; NaN where unknown. */
  readonly largest: number;
  /** λ_max at which the deterministic edge is met; NaN where unknown. */
  readonly edge: number;
}

/** The limits of `count` bins, even on the scale. */
export function binLimits(scale: Scale, [low, high]: Domain, count: number): Float64Array {
  const [from, to] = [project(scale, low), project(scale, high)];
  return Float64Array.from({ length: count + 1 }, (_, i) => unproject(scale, from + ((to - from) * i) / count));
}

/** How many of the eigenvalues lie in each bin; those outside all bins, such as the zeros of a logarithmic scale, in none. */
export function countEigenvalues({ eigenvalues }: ProbeSpectrum, limits: Float64Array): Float64Array {
  const counts = new Float64Array(limits.length - 1);
  let bin = 0;
  for (const value of eigenvalues) {
    if (!(value >= limits[0]!)) continue;
    while (bin < counts.length && value > limits[bin + 1]!) bin++;
    if (bin === counts.length) break;
    counts[bin]!++;
  }
  return counts;
}

/** The same of a density: `size` times its integral over each bin, by the trapezoidal rule on the density's own grid. */
export function countDensity({ grid, density, size }: HessianDensity, limits: Float64Array): Float64Array {
  const cumulative = new Float64Array(grid.length);
  for (let i = 1; i < grid.length; i++) {
    cumulative[i] = cumulative[i - 1]! + ((density[i]! + density[i - 1]!) / 2) * (grid[i]! - grid[i - 1]!);
  }
  let k = 0;
  const upTo = (value: number) => {
    while (k < grid.length - 1 && grid[k + 1]! < value) k++;
    if (value <= grid[0]!) return 0;
    if (value >= grid.at(-1)!) return cumulative.at(-1)!;
    const share = (value - grid[k]!) / (grid[k + 1]! - grid[k]!);
    // Within a cell the density is linear.
    const between = density[k]! + share * (density[k + 1]! - density[k]!);
    return cumulative[k]! + ((density[k]! + between) / 2) * (value - grid[k]!);
  };
  const below = limits.map(upTo);
  return Float64Array.from({ length: limits.length - 1 }, (_, i) => size * Math.max(0, below[i + 1]! - below[i]!));
}

/** The steps at which each spectrum's column ends: half-way to the next, on the scale. The last ends at `end`. */
export function columnEnds(steps: readonly number[], scale: Scale, end: number): number[] {
  return steps.map((step, i) => {
    const next = steps[i + 1];
    return next === undefined ? end : unproject(scale, (project(scale, step) + project(scale, next)) / 2);
  });
}
