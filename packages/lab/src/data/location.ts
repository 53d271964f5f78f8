import { homedir } from "node:os";
import { join } from "node:path";

/** Where `sedge data get` puts a data set, and where it is looked for: in SEDGE_DATA if set, else in the user's cache. */
export function dataFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment["SEDGE_DATA"];
  if (own) return join(own, name);
  return join(environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sedge", "data", name);
}
