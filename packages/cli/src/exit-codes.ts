/** What the shell sees. 130 is the shells' own code for a program that Ctrl-C ended. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, diverged: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * Stable codes of errors that the user can mend by giving something else: a folder, a run, a port, a matrix. The
 * classes are not imported, so that a command loads no package it does not use.
 */
const inputFaults: ReadonlySet<unknown> = new Set([
  // StoreError of @sedge/server
  "no-store",
  "folder-unusable",
  "not-a-store",
  "schema-too-new",
  "schema-too-old",
  "unknown-run",
  "ambiguous-run",
  "run-busy",
  // ServerError of @sedge/server
  "port-in-use",
  "port-forbidden",
  "bad-port",
  "host-unavailable",
  "token-required",
]);

/** Which exit code an error thrown by a command stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof Error)) return exitCodes.failed;
  if (error.name === "BadInput" || hasBadInputAncestor(error)) return exitCodes.badInput;
  return inputFaults.has((error as { code?: unknown }).code) ? exitCodes.badInput : exitCodes.failed;
}

/** Subclasses of BadInput, such as IdxError, carry their own names. */
function hasBadInputAncestor(error: Error): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(error);
    typeof prototype === "object" && prototype !== null && prototype !== Error.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if ((prototype as { constructor?: { name?: string } }).constructor?.name === "BadInput") return true;
  }
  return false;
}
