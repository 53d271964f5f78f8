import type { Database } from "./connection.js";

/** Runs `work` alone among writers: all of it is stored, or nothing. */
export function writeTransaction<T>(database: Database, work: () => T): T {
  // IMMEDIATE, because a transaction that begins by reading and then writes can fail without being waited for.
  database.exec("BEGIN IMMEDIATE");
  return finish(database, work);
}

/** Runs `work` on one unchanging state of the database. */
export function readTransaction<T>(database: Database, work: () => T): T {
  database.exec("BEGIN");
  return finish(database, work);
}

function finish<T>(database: Database, work: () => T): T {
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite may have rolled back by itself, as it does on a full disk.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
