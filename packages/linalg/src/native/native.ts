import type { Engine } from "../engines/engine.js";

/** What came of looking for a LAPACK library. */
export interface Search {
  /** The first library that loaded and passed its check; null if none. */
  readonly engine: Engine | null;
  /** Libraries that are there but cannot be used, each with its reason. */
  readonly problems: readonly string[];
}

/** The part of the package that differs between Node and browsers: package.json maps `#native` to one or the other. */
export interface Native {
  /** The environment variable SEDGE_BLAS, where there is one: a choice as for `selectBackend`. */
  environmentChoice(): string | undefined;
  /** @param path a library's path or name; without it, the usual names are tried */
  findLibrary(path?: string): Search;
  /** Zeros, in memory that is cheap to touch. */
  largeArray(length: number): Float64Array;
  warn(message: string): void;
}
