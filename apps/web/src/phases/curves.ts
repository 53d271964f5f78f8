import { criticalRate, type ScaledKernel } from "../theory/critical.js";

/** η over B: the median of several runs' probes, and how far they spread. */
export interface Curve {
  readonly batchSizes: readonly number[];
  readonly median: readonly number[];
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  /** Of how many probes. */
  readonly probes: number;
}

/** Whole batch sizes from `low` to `high`, about even on a logarithmic axis. */
export function batchGrid(low: number, high: number, most = 25): number[] {
  const [from, to] = [Math.max(1, Math.floor(low)), Math.max(1, Math.ceil(high))];
  const grid = Array.from({ length: most }, (_, i) => Math.round(from * (to / from) ** (i / (most - 1))));
  return [...new Set(grid)];
}

/** The critical learning rate K = 1 over the batch size. Null without a probe. */
export function stochasticCurve(kernels: readonly ScaledKernel[], batchSizes: readonly number[]): Curve | null {
  const allowed = batchSizes.filter((size) => kernels.every(({ population }) => size <= population));
  if (kernels.length === 0 || allowed.length === 0) return null;
  const rates = kernels.map((kernel) => allowed.map((size) => criticalRate(kernel, size)));
  return spread(allowed, rates);
}

/** The deterministic edge, the same at every batch size. */
export function deterministicCurve(edges: readonly number[], batchSizes: readonly number[]): Curve | null {
  const known = edges.filter((edge) => edge > 0 && edge < Infinity);
  if (known.length === 0 || batchSizes.length === 0) return null;
  return spread(
    batchSizes,
    known.map((edge) => batchSizes.map(() => edge)),
  );
}

function spread(batchSizes: readonly number[], curves: readonly (readonly number[])[]): Curve {
  const sorted = batchSizes.map((_, i) => curves.map((curve) => curve[i]!).sort((a, b) => a - b));
  const middle = (values: readonly number[]) =>
    Math.sqrt(values[Math.floor((values.length - 1) / 2)]! * values[Math.ceil((values.length - 1) / 2)]!);
  return {
    batchSizes,
    median: sorted.map(middle),
    lowest: sorted.map((values) => values[0]!),
    highest: sorted.map((values) => values.at(-1)!),
    probes: curves.length,
  };
}
