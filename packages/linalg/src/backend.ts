import type { Engine } from "./engines/engine.js";
import { typescriptEngine } from "./engines/typescript.js";
import { LinalgRangeError } from "./errors.js";

/** Which implementation does the dense work. */
export interface Backend {
  readonly name: "typescript" | "lapack";
  /** The library's own name and configuration. */
  readonly library?: string;
  readonly threads?: number;
  /** The processor the library's kernels are for, where it says. */
  readonly core?: string;
}

export function backend(): Backend {
  return engine().description;
}

/** @throws LinalgRangeError if that implementation is not available */
export function selectBackend(choice: "auto" | "typescript" | "lapack" | (string & {})): Backend {
  if (choice !== "auto" && choice !== "typescript")
    throw new LinalgRangeError(
      `selectBackend: choice: expected "auto" or "typescript", got ${JSON.stringify(choice)}.`,
    );
  return backend();
}

export function engine(): Engine {
  return typescriptEngine;
}
