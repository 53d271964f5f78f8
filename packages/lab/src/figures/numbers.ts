import type { Estimate } from "../curvature/estimate.js";

/** Steps at which a course is recorded: 0, then about `count` of them even in log(step), whole and distinct, `last` included. */
export function logSteps(last: number, count: number): number[] {
  const steps = new Set([0]);
  for (let i = 0; i < count; i++) steps.add(Math.round(last ** (i / (count - 1))));
  return [...steps].sort((a, b) => a - b);
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Of the mean of independent values; NaN for fewer than two, or where one is not finite. */
export function standardErrorOfMean(values: ArrayLike<number>): number {
  const centre = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** The value below which a share of the others lie, interpolated. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  // Infinity − Infinity and 0 · Infinity would be NaN.
  if (position === low || sorted[low] === sorted[high]) return sorted[low]!;
  return sorted[low]! + (position - low) * (sorted[high]! - sorted[low]!);
}

/** Fixed decimals with a true minus sign; ∞ where it is. */
export function decimals(value: number, digits = 2): string {
  if (Number.isNaN(value)) return "not measured";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value.toFixed(digits).replace("-", "−");
}

/** A mean with the ends of its 95 % interval: `0.94 [0.91, 0.97]`. */
export const withInterval = ({ value, low, high }: Estimate): string =>
  `${decimals(value)} [${decimals(low)}, ${decimals(high)}]`;

/** Two significant digits times a power of ten. */
export function scientific(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return decimals(value, 0);
  const [digits, exponent] = value.toExponential(1).split("e") as [string, string];
  return `${digits.replace("-", "−")} × 10^${Number(exponent)}`;
}
