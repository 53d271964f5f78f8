import { native } from "#native";
import { checkInteger } from "./errors.js";

/**
 * Zeros, as `new Float64Array(length)`, in memory that is cheaper to touch where the system has such: huge pages on Linux. Up to 4 MB of
 * its `buffer` then lie unused around it.
 *
 * @throws LinalgRangeError or LinalgTypeError unless the length is an integer of at least 0
 */
export function largeArray(length: number): Float64Array {
  checkInteger("largeArray", "length", length, 0);
  return native.largeArray(length);
}
