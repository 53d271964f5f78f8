import { createRequire } from "node:module";
import type koffiModule from "koffi";

const HUGE_PAGE = 2 ** 21;
/** MADV_HUGEPAGE of Linux's madvise(2). */
const WANTS_HUGE_PAGES = 14;

type Advise = (start: Float64Array, bytes: number, advice: number) => number;
let found: { readonly address: (array: Float64Array) => bigint; readonly advise: Advise } | null | undefined;

/**
 * Zeros, in pages of 2 MB where Linux grants them on request, as NumPy asks for its arrays: on virtual machines above all, touching
 * fresh memory in pages of 4 kB takes longer than computing with it, and a product waits for their addresses. Up to 4 MB of the
 * array's buffer lie unused around it. Elsewhere an ordinary array.
 */
export function largeArray(length: number): Float64Array {
  const bytes = 8 * length;
  if (bytes < HUGE_PAGE) return new Float64Array(length);
  found ??= process.platform === "linux" ? findAdvise() : null;
  if (found === null) return new Float64Array(length);
  const pages = Math.ceil(bytes / HUGE_PAGE);
  const array = new Float64Array(((pages + 1) * HUGE_PAGE) / 8);
  const past = Number(found.address(array) % BigInt(HUGE_PAGE));
  const start = ((HUGE_PAGE - past) % HUGE_PAGE) / 8;
  // What it answers does not matter: without huge pages the memory is as good as any.
  found.advise(array.subarray(start), pages * HUGE_PAGE, WANTS_HUGE_PAGES);
  return array.subarray(start, start + length);
}

function findAdvise(): NonNullable<typeof found> | null {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;
    const advise = koffi.load(null).func("int madvise(void *start, size_t bytes, int advice)") as Advise;
    return { address: (array) => koffi.address(array), advise };
  } catch {
    return null; // no koffi, or a C library without it
  }
}
