import { BadInput } from "@sedge/lab";

/**
 * A whole number from a flag.
 *
 * @throws BadInput naming the flag, what is allowed and what was given.
 */
export function parseWholeNumber(flag: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new BadInput(`${flag}: expected a whole number ${range}, got ${JSON.stringify(text)}.`);
}

/**
 * A finite number from a flag.
 *
 * @param allowed  Which numbers are; `range` says it in words.
 * @throws BadInput naming the flag, what is allowed and what was given.
 */
export function parseNumber(flag: string, text: string, allowed: (value: number) => boolean, range: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && allowed(value)) return value;
  throw new BadInput(`${flag}: expected ${range}, got ${JSON.stringify(text)}.`);
}
