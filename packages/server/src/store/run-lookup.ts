import { StoreError } from "../errors.js";
import type { Database } from "./connection.js";

export interface RunKey {
  readonly number: number;
  readonly id: string;
}

/**
 * Finds the run that a person means: by its id, the beginning of an id, or a name that only one run has.
 *
 * @throws StoreError `unknown-run`, or `ambiguous-run` listing the runs that fit.
 */
export function findRun(database: Database, given: string): RunKey {
  const exact = database.prepare("SELECT number, id FROM runs WHERE id = ?").get(given) as RunKey | undefined;
  if (exact !== undefined) return exact;
  if (given !== "") {
    for (const condition of ["substr(id, 1, length(?1)) = ?1", "name = ?1"]) {
      const found = database
        .prepare(`SELECT number, id FROM runs WHERE ${condition} ORDER BY number DESC LIMIT 6`)
        .all(given) as unknown as RunKey[];
      if (found.length === 1) return found[0]!;
      if (found.length > 1) {
        const some = found.slice(0, 5).map(({ id }) => id);
        throw new StoreError(
          "ambiguous-run",
          `run ${JSON.stringify(given)} could be ${some.join(", ")}${found.length > 5 ? ", …" : ""}. Give more of the id.`,
        );
      }
    }
  }
  throw new StoreError(
    "unknown-run",
    `run ${JSON.stringify(given)}: no run has this id, an id that begins so, or this name. sedge runs list shows them.`,
  );
}
