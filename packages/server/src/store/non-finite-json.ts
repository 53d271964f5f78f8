/**
 * JSON has no NaN and no infinities. On the wire and in stored text they are the strings "NaN", "Infinity" and
 * "-Infinity", which `Number(…)` turns back into the number.
 */

export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

export function toWireNumber(value: number): WireNumber {
  return Number.isFinite(value) ? value : (String(value) as WireNumber);
}

/** `JSON.stringify`, with every number that is not finite as its string, and arrays of numbers as arrays, typed or not. */
export function stringifyNonFinite(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry === "number") return toWireNumber(entry);
    return isNumbers(entry) ? Array.from(entry, toWireNumber) : entry;
  });
}

const isNumbers = (value: unknown): value is ArrayLike<number> =>
  value instanceof Float64Array || value instanceof Float32Array || value instanceof Int32Array;

/** The numbers as a JSON array. Many at a time, so the common case, all finite, takes the engine's own path. */
export function stringifyNumbers(values: Float64Array): string {
  const plain = Array.from(values);
  return values.every(Number.isFinite) ? JSON.stringify(plain) : JSON.stringify(plain.map(toWireNumber));
}
