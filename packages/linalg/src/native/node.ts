import { type Candidate, candidates } from "./candidates.js";
import { lapackEngine } from "./lapack.js";
import type { Native, Search } from "./native.js";
import { openLibrary } from "./routines.js";
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

  warn: (message) => process.emitWarning(message, "SedgeWarning"),
};

/** The engine, or null with the reason in `problems`. A library that is simply not installed is a problem only if named. */
function tryLibrary(candidate: Candidate, named: boolean, problems: string[]): Search["engine"] {
  try {
    const engine = lapackEngine(openLibrary(candidate));
    const wrong = disagreement(engine);
    if (wrong === null) return engine;
    problems.push(`${candidate[0]}: ${wrong}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (named || !/no such file|cannot find|not found|could not be found|no koffi/i.test(reason))
      problems.push(`${candidate[0]}: ${reason}`);
  }
  return null;
}
