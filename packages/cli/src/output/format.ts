/** A number to three significant digits; powers of ten where it is very small or large. "—" where it was not measured. */
export function formatNumber(value: number | undefined, digits = 3): string {
  if (value === undefined || Number.isNaN(value)) return "—";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e6 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  // toPrecision itself turns to powers of ten for 1234 at three digits.
  return (size >= 1e3 && size < 1e6 ? Math.round(value).toString() : text).replaceAll("-", "−").replace("e+", "e");
}

/** K or another ratio to an edge: two decimals, in plain sight of 1. */
export function formatRatio(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "—";
  if (!Number.isFinite(value)) return "∞";
  return value < 0.095 ? formatNumber(value, 2) : value < 100 ? value.toFixed(2) : formatNumber(value, 3);
}

/** A value with its standard error, where that is known. */
export function formatWithError(value: number | undefined, standardError: number | undefined): string {
  const known = value !== undefined && Number.isFinite(value) && standardError !== undefined;
  const bar = known && Number.isFinite(standardError) ? ` ± ${standardError.toFixed(2)}` : "";
  return `${formatRatio(value)}${bar}`;
}

/** 12000 as 12,000. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}

/** Seconds as people say them: 4 s, 1:05, 2:03:20. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** A point in time as year-month-day hour:minute, local. */
export function formatTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  return (
    `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ` +
    `${pad(time.getHours())}:${pad(time.getMinutes())}`
  );
}
