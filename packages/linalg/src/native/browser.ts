import type { Native } from "./native.js";

/** Browsers have no system libraries. */
export const native: Native = {
  environmentChoice: () => undefined,
  findLibrary: () => ({ engine: null, problems: [] }),
  largeArray: (length) => new Float64Array(length),
  warn: (message) => console.warn(message),
};
