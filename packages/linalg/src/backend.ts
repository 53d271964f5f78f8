import { native } from "#native";
import type { Engine } from "./engines/engine.js";
import { typescriptEngine } from "./engines/typescript.js";
import { describe, LinalgRangeError, LinalgTypeError } from "./errors.js";

/** Which implementation does the dense work. */
export interface Backend {
  readonly name: "typescript" | "lapack";
  /** What the TypeScript implementation's inner loops are: WebAssembly, or TypeScript where that is not to be had. */
  readonly kernels?: "wasm" | "plain";
  /** The library's own name and configuration. */
  readonly library?: string;
  /** The file it was loaded from, or its name where the system's loader found it. */
  readonly path?: string;
  readonly threads?: number;
  /** The processor the library's kernels are for, where it says. */
  readonly core?: string;
}

let current: Engine | null = null;

/** The implementation in use. The first call of anything in this package chooses it. */
export function backend(): Backend {
  return engine().description;
}

/** @internal */
export function engine(): Engine {
  current ??= choose(native.environmentChoice() ?? "auto");
  return current;
}

/**
 * Chooses the implementation for all later calls.
 *
 * - `"auto"`: a LAPACK library where one is found, else TypeScript. What is chosen at start, unless the environment
 *   variable SEDGE_BLAS names another of these choices.
 * - `"typescript"`, `"lapack"`: that one.
 * - anything else: the path or name of a LAPACK library.
 *
 * A library that is asked for and missing, or found and unusable, leaves TypeScript in charge, with one warning.
 *
 * @returns what is in use now
 * @throws LinalgTypeError unless a string, LinalgRangeError if empty
 */
export function selectBackend(choice: "auto" | "typescript" | "lapack" | (string & {})): Backend {
  const expected = `expected "auto", "typescript", "lapack" or a library's path`;
  if (typeof choice !== "string")
    throw new LinalgTypeError(`selectBackend: choice: ${expected}, got ${describe(choice)}.`);
  if (choice === "") throw new LinalgRangeError(`selectBackend: choice: ${expected}, got "".`);
  current = choose(choice);
  return current.description;
}

function choose(choice: string): Engine {
  if (choice === "typescript") return typescriptEngine;
  const path = choice === "auto" || choice === "lapack" ? undefined : choice;
  const { engine: found, problems } = native.findLibrary(path);
  if (found !== null) return found;
  if (choice !== "auto" || problems.length > 0) {
    const reasons = problems.length > 0 ? problems.join("; ") : "none found";
    native.warn(`No usable LAPACK library (${reasons}). Linear algebra runs in TypeScript instead, slower but equal.`);
  }
  return typescriptEngine;
}
