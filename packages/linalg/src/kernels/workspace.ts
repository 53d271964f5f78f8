import type { Kernels } from "./kernels.js";
import { createPlainKernels } from "./plain.js";
import { createWasmKernels } from "./wasm.js";

/** A larger workspace is given back to the garbage collector after use: WebAssembly memory cannot shrink. 128 MB. */
const KEEP_WORDS = 2 ** 24;

let kept: Kernels | null = null;

/**
 * Kernels over a memory of at least `words` numbers, of unknown content. The next call may return the same memory: use it
 * to the end, synchronously, and copy the result out.
 */
export function workspace(words: number): Kernels {
  if (kept !== null && kept.memory.length >= words) return kept;
  const kernels = createWasmKernels(words) ?? createPlainKernels(words);
  kept = words <= KEEP_WORDS ? kernels : kept;
  return kernels;
}
