import { fileURLToPath } from "node:url";

/** Node runs JavaScript only: where this file is TypeScript, run from its sources, the program is the build beside it. */
export function workerProgram(): string {
  const sibling = fileURLToPath(new URL("../worker.js", import.meta.url));
  return import.meta.url.endsWith(".ts") ? sibling.replace(/src(?=[\\/]sweep[\\/][^\\/]+$)/, "dist") : sibling;
}
