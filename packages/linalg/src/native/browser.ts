import type { Native } from "./native.js";

/** Browsers have no system libraries. */
export const native: Native = {
  environmentChoice: () => undefined,
  findLibrary: () => ({ engine: null, problems: [] }),
  warn: (message) => console.warn(message),
};
