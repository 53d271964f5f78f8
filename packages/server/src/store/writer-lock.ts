import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { isBusy, sqliteCode, type Database } from "./connection.js";

/**
 * Whether the process that writes a run is alive, told by a lock that the operating system drops at the moment the
 * process dies. A heartbeat would stop while native code holds the event loop, and a process id is reused and means
 * nothing in another container.
 *
 * Node cannot lock files, SQLite can: each writer has an empty database file of its own, named at random, in which it
 * holds an exclusive transaction. A name is never used twice and nobody but its maker ever locks it, so a file that
 * can be read belongs to a dead writer and may be removed at any time.
 */
export interface WriterLock {
  readonly name: string;
  release(): void;
}

const lockFile = (folder: string, name: string) => join(folder, "writers", `${name}.lock`);

export function acquireWriterLock(folder: string): WriterLock {
  mkdirSync(join(folder, "writers"), { recursive: true });
  const name = `${process.pid}-${randomBytes(6).toString("hex")}`;
  const file = lockFile(folder, name);
  const database = new DatabaseSync(file, { timeout: 0 });
  database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); // no journal file beside it
  return {
    name,
    release() {
      database.close();
      rmSync(file, { force: true });
    },
  };
}

/** Errs towards alive: what cannot be looked at is not declared dead. */
export function isWriterAlive(folder: string, name: string): boolean {
  const file = lockFile(folder, name);
  if (!existsSync(file)) return false;
  let database: Database | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return false;
  } catch (error) {
    return isBusy(error) || sqliteCode(error) === undefined || existsSync(file);
  } finally {
    database?.close();
  }
}

/** Milliseconds for which a writer that was seen alive is taken to be. */
const lookAgainAfter = 250;

/** Whether writers live, as it was a moment ago: a list of a hundred running runs must not open a hundred files each time. */
export class WriterLiveness {
  readonly #folder: string;
  readonly #seenAlive = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  isAlive(name: string): boolean {
    const now = performance.now();
    if (now - (this.#seenAlive.get(name) ?? -Infinity) < lookAgainAfter) return true;
    const alive = isWriterAlive(this.#folder, name);
    if (alive) this.#seenAlive.set(name, now);
    else this.#seenAlive.delete(name);
    return alive;
  }
}

/** Of a writer that is known to be dead. */
export function removeWriterLock(folder: string, name: string): void {
  rmSync(lockFile(folder, name), { force: true });
}
