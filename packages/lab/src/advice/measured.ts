/** A number with its standard error; NaN where that cannot be known. */
export interface Measured {
  readonly value: number;
  readonly standardError: number;
}

/** Standard errors that a decision must be away from what would turn it. */
export const certain = 2;

/** Twice the standard error; 0 where none is known. An infinite one leaves nothing decided. */
export const margin = ({ standardError }: Measured): number =>
  Number.isNaN(standardError) ? 0 : certain * Math.abs(standardError);
export const lowest = (measured: Measured): number => measured.value - margin(measured);
export const highest = (measured: Measured): number => measured.value + margin(measured);

/** The same number in another unit. */
export const times = (factor: number, { value, standardError }: Measured): Measured => ({
  value: factor * value,
  standardError: factor * standardError,
});

/** A value ± its standard error. */
export function bar({ value, standardError }: Measured): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "unknown";
  return Number.isNaN(standardError) ? number(value) : `${number(value)} ± ${number(standardError, 2)}`;
}

/** To so many significant digits, without a power of ten from 0.001 to a million. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "unknown";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(digits - 1);
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-GB") : String(rounded);
}
