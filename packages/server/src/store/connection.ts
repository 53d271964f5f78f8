import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import { StoreError, type StoreErrorCode } from "../errors.js";
import { makeFolders } from "./make-folders.js";
import { applicationId, migrate, readSchemaVersion, schemaVersion } from "./migrations.js";
import { readTransaction, writeTransaction } from "./transaction.js";

export type Database = DatabaseSyncInstance;

const busyTimeout = 10_000;
export const databaseName = "sedge.db";

// Primary result codes, https://sqlite.org/rescode.html
const sqlite = { busy: 5, locked: 6, readonly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 };

export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

export const isBusy = (error: unknown) => [sqlite.busy, sqlite.locked].includes(sqliteCode(error) ?? -1);

/** What SQLite or the file system reported, as one clear error. A StoreError passes through. */
export function asStoreError(error: unknown, folder: string): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const make = (code: StoreErrorCode, message: string) => new StoreError(code, message, { cause: error });
  const name = (error as NodeJS.ErrnoException | null)?.code;
  if (name === "ENOSPC") return make("disk-full", `Run store ${folder}: the disk is full. Free some space and go on.`);
  switch (sqliteCode(error)) {
    case sqlite.busy:
    case sqlite.locked:
      return make(
        "store-busy",
        `Run store ${folder}: another process has held it for over ${busyTimeout / 1000} s. Try again.`,
      );
    case sqlite.full:
      return make("disk-full", `Run store ${folder}: the disk is full. Free some space and go on.`);
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return make(
        "store-corrupt",
        `Run store ${folder}: ${databaseName} is damaged or not a database (${reason}). Move it away or restore a copy.`,
      );
    case sqlite.readonly:
    case sqlite.cantOpen:
      return unusable(folder, reason, error);
    default:
      return make("store-failed", `Run store ${folder}: ${reason}.`);
  }
}

function unusable(folder: string, reason: string, cause?: unknown): StoreError {
  return new StoreError(
    "folder-unusable",
    `Run store ${folder}: cannot write there (${reason}). Choose another folder with --store, or make this one writable.`,
    { cause },
  );
}

/**
 * Opens the database of a store's folder; creates both unless `readOnly`.
 *
 * WAL lets readers and one writer work at once. With `synchronous = NORMAL` a commit is in the operating system's
 * hands: it survives the death of the process, and power loss may take the last commits but not the database.
 *
 * @throws StoreError naming the folder and what to do.
 */
export function openDatabase(folder: string, readOnly: boolean): Database {
  try {
    return readOnly ? openForReading(folder) : openForWriting(folder);
  } catch (error) {
    throw asStoreError(error, folder);
  }
}

function openForWriting(folder: string): Database {
  try {
    makeFolders(resolve(folder));
  } catch (error) {
    throw unusable(folder, (error as NodeJS.ErrnoException).code ?? String(error), error);
  }
  return opened(new DatabaseSync(join(folder, databaseName), { timeout: busyTimeout }), (database) => {
    assertOurs(database, folder);
    useWriteAheadLog(database);
    database.exec("PRAGMA synchronous = NORMAL");
    migrate(database);
    // SQLite opens a file that it may not write for reading, and would say so only at the first event.
    writeTransaction(database, () => database.exec("UPDATE store SET sequence = sequence"));
  });
}

function openForReading(folder: string): Database {
  const file = join(folder, databaseName);
  if (!existsSync(file)) {
    throw new StoreError(
      "no-store",
      `Run store ${folder}: there is none (no ${databaseName}). Start a run first, or name another folder with --store.`,
    );
  }
  const check = (database: Database) => {
    assertOurs(database, folder);
    const version = readSchemaVersion(database);
    if (version < schemaVersion) {
      throw new StoreError(
        "schema-too-old",
        `Run store ${folder}: its schema is version ${version}, this Sedge reads ${schemaVersion}. ` +
          "Open it once for writing (sedge serve) to bring it up to date.",
      );
    }
  };
  try {
    return opened(new DatabaseSync(file, { readOnly: true, timeout: busyTimeout }), check);
  } catch (error) {
    // A WAL database needs a shared-memory file beside it even for reading. Where none can be made, and there is no log
    // to replay either, the file by itself is the whole truth.
    const code = sqliteCode(error);
    const barred = code === sqlite.readonly || code === sqlite.cantOpen;
    if (!barred || !isEmpty(`${file}-wal`)) throw error;
    return opened(new DatabaseSync(`${pathToFileURL(file).href}?immutable=1`, { readOnly: true }), check);
  }
}

function opened(database: Database, prepare: (database: Database) => void): Database {
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** An empty file is about to become ours; anything else has to be. */
function assertOurs(database: Database, folder: string): void {
  // In one transaction: between two of them another process may make the tables of an empty file.
  const { id, tables, version } = readTransaction(database, () => ({
    id: (database.prepare("PRAGMA application_id").get() as { application_id: number }).application_id,
    tables: (database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as { tables: number }).tables,
    version: readSchemaVersion(database),
  }));
  if (id !== applicationId && (id !== 0 || tables > 0)) {
    throw new StoreError(
      "not-a-store",
      `Run store ${folder}: ${databaseName} belongs to another program. Name another folder with --store.`,
    );
  }
  if (version > schemaVersion) {
    throw new StoreError(
      "schema-too-new",
      `Run store ${folder}: its schema is version ${version}, this Sedge knows up to ${schemaVersion}. ` +
        "Update Sedge, or name another folder with --store.",
    );
  }
}

/** SQLite does not wait for a lock while it changes the journal mode, so processes that create a store at once must. */
function useWriteAheadLog(database: Database): void {
  const deadline = Date.now() + busyTimeout;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

const isEmpty = (path: string) => !existsSync(path) || statSync(path).size === 0;
