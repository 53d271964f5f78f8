/** An argument of the right type whose value is not allowed. `code` is stable; the message may improve. */
export class TheoryRangeError extends RangeError {
  readonly code = "THEORY_RANGE";
  override readonly name = "TheoryRangeError";
}

/** An argument of the wrong type. `code` is stable; the message may improve. */
export class TheoryTypeError extends TypeError {
  readonly code = "THEORY_TYPE";
  override readonly name = "TheoryTypeError";
}

/** Text for a value in an error message: short, and never the contents of an array. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "object" && value !== null) {
    const kind = (value as { constructor?: { name?: string } }).constructor?.name ?? "object";
    return "length" in value ? `${kind} of length ${String(value.length)}` : kind;
  }
  return typeof value === "function" ? "a function" : String(value);
}

/** Throws unless `value` is a number for which `allowed` holds; `range` says in words which those are. */
export function checkNumber(
  where: string,
  argument: string,
  value: unknown,
  allowed: (value: number) => boolean,
  range: string,
): asserts value is number {
  if (typeof value !== "number")
    throw new TheoryTypeError(`${where}: ${argument}: expected ${range}, got ${describe(value)}.`);
  if (!allowed(value)) throw new TheoryRangeError(`${where}: ${argument}: expected ${range}, got ${value}.`);
}

/** Throws unless `value` is an integer in [least, most]. */
export function checkInteger(
  where: string,
  argument: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  const range =
    most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`;
  checkNumber(where, argument, value, (x) => Number.isInteger(x) && x >= least && x <= most, range);
}

/** Throws unless `value` is a number above 0 and finite. */
export function checkPositive(where: string, argument: string, value: unknown): asserts value is number {
  checkNumber(where, argument, value, (x) => x > 0 && Number.isFinite(x), "a finite number above 0");
}

/** Throws unless `value` is one of `choices`. */
export function checkChoice<T extends string>(
  where: string,
  argument: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (typeof value === "string" && (choices as readonly string[]).includes(value)) return;
  const expected = `one of ${choices.map((choice) => `"${choice}"`).join(", ")}`;
  const kind = typeof value === "string" ? TheoryRangeError : TheoryTypeError;
  throw new kind(`${where}: ${argument}: expected ${expected}, got ${describe(value)}.`);
}

/**
 * A Float64Array of `length` finite numbers from an array or typed array; a Float64Array is returned as it is.
 *
 * @param meaning how the length comes about, for the message: "examples × outputs = 8 × 3"
 */
export function finiteArray(where: string, argument: string, value: unknown, length: number, meaning: string) {
  const isNumeric = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isNumeric)
    throw new TheoryTypeError(`${where}: ${argument}: expected an array of numbers, got ${describe(value)}.`);
  const given = value as ArrayLike<unknown>;
  if (given.length !== length)
    throw new TheoryRangeError(`${where}: ${argument}: expected ${meaning} = ${length} numbers, got ${given.length}.`);
  const array = value instanceof Float64Array ? value : new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const entry = given[i];
    if (typeof entry !== "number" || !Number.isFinite(entry)) {
      const kind = typeof entry === "number" ? TheoryRangeError : TheoryTypeError;
      throw new kind(`${where}: ${argument}[${i}]: expected a finite number, got ${describe(entry)}.`);
    }
    if (array !== value) array[i] = entry;
  }
  return array;
}
