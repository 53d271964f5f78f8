import { largeArray } from "@sedge/linalg";

/** Larger arrays are left to the garbage collector. 64 MB each. */
const KEEP_WORDS = 2 ** 23;

/** What for: a kernel or another [N·C, N·C], scaled modes [N·C, rank], a covariance of the modes or their response [rank, rank]. */
type Use = "kernel" | "modes" | "covariance" | "response";

const kept = new Map<Use, Float64Array>();

/**
 * An array of that length and unknown content, in use until the next call for the same use. Fresh arrays of megabytes cost page faults
 * and, since V8 counts them against the heap, full garbage collections: together as much as the products made with them.
 */
export function scratch(use: Use, length: number): Float64Array {
  let array = kept.get(use);
  if (array === undefined || array.length < length) {
    array = largeArray(length);
    if (length <= KEEP_WORDS) kept.set(use, array);
  }
  return array.length === length ? array : array.subarray(0, length);
}

/** As `scratch`, in single precision and the same memory. */
export function scratchSingles(use: Use, length: number): Float32Array {
  const { buffer, byteOffset } = scratch(use, Math.ceil(length / 2));
  return new Float32Array(buffer, byteOffset, length);
}
