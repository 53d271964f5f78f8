/** An argument of the right type whose value is not allowed. `code` is stable; the message may improve. */
export class LinalgRangeError extends RangeError {
  readonly code = "LINALG_RANGE";
  override readonly name = "LinalgRangeError";
}

/** An argument of the wrong type. `code` is stable; the message may improve. */
export class LinalgTypeError extends TypeError {
  readonly code = "LINALG_TYPE";
  override readonly name = "LinalgTypeError";
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

/** @throws LinalgRangeError or LinalgTypeError unless `value` is an integer in [least, most]. */
export function checkInteger(
  where: string,
  argument: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  const range =
    most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`;
  if (typeof value !== "number")
    throw new LinalgTypeError(`${where}: ${argument}: expected ${range}, got ${describe(value)}.`);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new LinalgRangeError(`${where}: ${argument}: expected ${range}, got ${value}.`);
}

/**
 * @param meaning how the length comes about, for the message: "size × size = 3 × 3"
 * @throws LinalgTypeError unless `value` is a Float64Array, LinalgRangeError unless it has `length` entries.
 */
export function checkArray(
  where: string,
  argument: string,
  value: unknown,
  length: number,
  meaning: string,
): asserts value is Float64Array {
  if (!(value instanceof Float64Array))
    throw new LinalgTypeError(`${where}: ${argument}: expected a Float64Array, got ${describe(value)}.`);
  if (value.length !== length)
    throw new LinalgRangeError(`${where}: ${argument}: expected ${meaning} = ${length} entries, got ${value.length}.`);
}

/** As `checkArray`, for a Float32Array. */
export function checkSingles(
  where: string,
  argument: string,
  value: unknown,
  length: number,
  meaning: string,
): asserts value is Float32Array {
  if (!(value instanceof Float32Array))
    throw new LinalgTypeError(`${where}: ${argument}: expected a Float32Array, got ${describe(value)}.`);
  if (value.length !== length)
    throw new LinalgRangeError(`${where}: ${argument}: expected ${meaning} = ${length} entries, got ${value.length}.`);
}

/** @throws LinalgRangeError, with the position, if an entry is NaN or infinite. */
export function checkFinite(where: string, argument: string, values: Float64Array): void {
  // x − x is 0 for finite x and NaN otherwise, and NaN survives a sum: one branch for the whole array.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  if (sum === 0) return;
  const at = values.findIndex((x) => !Number.isFinite(x));
  throw new LinalgRangeError(`${where}: ${argument}[${at}]: expected finite numbers, got ${values[at]}.`);
}

/** @throws as `checkArray`, and LinalgRangeError if the target shares memory with one of the operands */
export function checkTarget(
  where: string,
  argument: string,
  target: Float64Array,
  length: number,
  meaning: string,
  operands: Readonly<Record<string, Float64Array>>,
): void {
  checkArray(where, argument, target, length, meaning);
  checkApart(where, argument, target, operands);
}

/** @throws LinalgRangeError if the target shares memory with one of the operands */
export function checkApart(
  where: string,
  argument: string,
  target: Float64Array | Float32Array,
  operands: Readonly<Record<string, Float64Array | Float32Array>>,
): void {
  for (const [name, operand] of Object.entries(operands)) {
    const apart =
      target.buffer !== operand.buffer ||
      target.byteOffset + target.byteLength <= operand.byteOffset ||
      operand.byteOffset + operand.byteLength <= target.byteOffset;
    if (!apart && target.length > 0 && operand.length > 0)
      throw new LinalgRangeError(`${where}: ${argument}: expected memory of its own, got some shared with ${name}.`);
  }
}
