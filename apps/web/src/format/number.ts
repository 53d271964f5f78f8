/** Thin space: groups digits without looking like a decimal mark in any language. */
const thin = "\u2009";

/** A whole number with its digits grouped: 12 000. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  const digits = String(Math.round(Math.abs(value)));
  if (digits.includes("e")) return formatValue(value);
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, thin);
  return value < 0 ? `−${grouped}` : grouped;
}

/** A measured number to `digits` significant digits, plain where that is short, else as 1.2×10⁻⁵. */
export function formatValue(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  if (value === 0) return "0";
  const magnitude = exponentOf(value, digits);
  if (magnitude >= 5 || magnitude < -4) {
    const mantissa = (value / 10 ** magnitude).toFixed(Math.max(0, digits - 1));
    return `${minus(trimZeros(mantissa))}×10${superscript(magnitude)}`;
  }
  return minus(value.toFixed(Math.max(0, digits - 1 - magnitude)));
}

/** As the user wrote it: 0.003, 128, 1×10⁻⁵. No trailing zeros. */
export function formatSetting(value: number): string {
  const text = formatValue(value, 6);
  return text.includes("×") ? text : minus(trimZeros(text.replace("−", "-")));
}

/** A number on an axis: 0.05, 2, 12 000, 1×10⁶. */
export function formatTick(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? formatCount(value) : formatSetting(value);
}

/**
 * A value with its standard error, both cut where the error's digits stop meaning anything: two digits of an error that
 * starts with 1, one of any other (the Particle Data Group's habit, simplified). 0.981 ± 0.0543 is "0.98 ± 0.05".
 */
export function formatEstimate(
  value: number,
  error: number,
): { readonly value: string; readonly error: string | null } {
  if (!Number.isFinite(value) || !Number.isFinite(error) || error <= 0)
    return { value: formatValue(value), error: null };
  const leading = Number(error.toExponential(1).charAt(0));
  const decimals = (leading === 1 ? 1 : 0) - exponentOf(error, leading === 1 ? 2 : 1);
  // An error far below the value, or above it, says nothing about the usual three digits.
  const shown = Math.min(6, Math.max(0, decimals));
  return { value: minus(value.toFixed(shown)), error: error.toFixed(shown) };
}

/** A share as a percentage: 0.9731 is "97.3 %". */
export function formatShare(value: number): string {
  return Number.isFinite(value) ? `${minus((value * 100).toFixed(1))}${thin}%` : formatSpecial(value);
}

/** Seconds in the largest two units: "0.8 s", "42 s", "3 min 05 s", "2 h 10 min". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return formatSpecial(seconds);
  if (seconds < 10) return `${formatSetting(Number(seconds.toFixed(1)))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

const pad = (value: number) => String(value).padStart(2, "0");

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return "–";
  return value > 0 ? "∞" : "−∞";
}

/** The power of ten of `value` once rounded to so many digits: 9.996 rounds to 10.0 at three, power 1. */
function exponentOf(value: number, digits: number): number {
  return Number(value.toExponential(digits - 1).split("e")[1]);
}

const trimZeros = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const minus = (text: string) => text.replace("-", "−");

export function superscript(exponent: number): string {
  return String(exponent).replace(/[-\d]/g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!));
}
