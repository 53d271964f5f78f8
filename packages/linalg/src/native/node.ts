import { type Candidate, candidates } from "./candidates.js";
import { lapackEngine } from "./lapack.js";
import { largeArray } from "./memory.js";
import type { Native, Search } from "./native.js";
import { type Library, openLibrary } from "./routines.js";
import { disagreement } from "./verify.js";

export const native: Native = {
  environmentChoice: () => process.env["SEDGE_BLAS"] || undefined,

  findLibrary(path) {
    const problems: string[] = [];
    for (const candidate of path === undefined ? candidates(process.platform, process.env) : [[path]]) {
      const engine = tryLibrary(candidate, path !== undefined, problems);
      if (engine !== null) return { engine, problems };
    }
    return { engine: null, problems };
  },

  largeArray,

  warn: (message) => process.emitWarning(message, "SedgeWarning"),
};

/** The engine, or null with the reason in `problems`. A library that is simply not installed is a problem only if named. */
function tryLibrary(candidate: Candidate, named: boolean, problems: string[]): Search["engine"] {
  let library: Library;
  try {
    library = openLibrary(candidate);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (named || isBroken(candidate, reason)) problems.push(`${candidate[0]}: ${reason}`);
    return null;
  }
  try {
    const engine = lapackEngine(library);
    const wrong = disagreement(engine);
    if (wrong === null) return engine;
    problems.push(`${candidate[0]}: ${wrong}`);
  } catch (error) {
    problems.push(`${candidate[0]}: ${String(error)}`);
  }
  return null;
}

/**
 * Whether the library is there but cannot be used, as far as the loader's words tell; they differ between systems and
 * languages, and one that is not understood counts as "not there".
 */
function isBroken(candidate: Candidate, reason: string): boolean {
  if (/has no \w+_$|invalid elf|wrong elf|file too short|undefined symbol|not a valid win32|mach-o/i.test(reason))
    return true;
  // The loader names the file that it misses: another than asked for is a dependency.
  return /cannot open shared object/i.test(reason) && !candidate.some((file) => reason.includes(file));
}
