/**
 * Pretty JSON in which NaN and the infinities survive, as the strings "NaN", "Infinity" and "-Infinity": what the HTTP
 * API writes too. Typed arrays become arrays.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, entry: unknown) => {
      if (typeof entry === "number" && !Number.isFinite(entry)) return String(entry);
      if (ArrayBuffer.isView(entry) && !(entry instanceof DataView))
        return Array.from(entry as unknown as ArrayLike<number>);
      return entry;
    },
    2,
  );
}
