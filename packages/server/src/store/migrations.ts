import type { Database } from "./connection.js";
import { writeTransaction } from "./transaction.js";

/** "SEDG": in the file's header, so that another program's database is not taken for a store. */
export const applicationId = 0x53454447;

/** One step of the schema's history. A released one is never edited: what changes comes as the next. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "runs, metrics and the sequence of events",
    sql: `
      -- One row. The id tells this store from another that is later made in the same place.
      CREATE TABLE store (
        id TEXT NOT NULL,
        sequence INTEGER NOT NULL -- number of the last event; never goes back, whatever is deleted
      ) STRICT;
      INSERT INTO store VALUES (lower(hex(randomblob(16))), 0);

      CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'diverged', 'failed', 'interrupted')),
        started_at REAL NOT NULL,  -- milliseconds since the epoch, here and below
        updated_at REAL NOT NULL,  -- time of the last event
        finished_at REAL,
        step INTEGER NOT NULL,     -- of the last event
        steps INTEGER NOT NULL,    -- planned
        config TEXT NOT NULL,      -- JSON
        model TEXT NOT NULL,       -- JSON
        message TEXT,
        writer TEXT,               -- while running: whose lock says that it is alive
        sequence INTEGER NOT NULL  -- of the last event
      ) STRICT;

      CREATE INDEX running ON runs (writer) WHERE status = 'running';

      -- One row for each metric of a run: its name, and where it stands.
      CREATE TABLE metrics (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        key TEXT NOT NULL,
        points INTEGER NOT NULL,
        last_step INTEGER NOT NULL,
        last_value REAL,           -- NULL is NaN
        UNIQUE (run, key)
      ) STRICT;

      -- All that happened, in one order. A row holds consecutive events of one run and one kind: metrics as a block
      -- (metric-block.ts), all others one a row, as JSON.
      CREATE TABLE events (
        sequence INTEGER PRIMARY KEY, -- of the row's last event
        count INTEGER NOT NULL,       -- so the first is sequence - count + 1
        run INTEGER REFERENCES runs ON DELETE CASCADE,
        kind TEXT NOT NULL,
        last_step INTEGER NOT NULL,   -- the largest in the row
        payload ANY NOT NULL
      ) STRICT;
      CREATE INDEX events_of_run ON events (run, kind, sequence);
    `,
  },
  {
    version: 2,
    name: "tags",
    sql: `
      CREATE TABLE tags (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (run, tag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX runs_of_tag ON tags (tag);
    `,
  },
  {
    version: 3,
    name: "probes, spectra, advice, artifacts; runs of trainers elsewhere",
    sql: `
      -- One of a kind at a step: what is sent again takes the place of what was there.
      CREATE TABLE probes (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        step INTEGER NOT NULL,
        time REAL NOT NULL,
        kind TEXT NOT NULL,        -- ntk, gradients, trace, …
        data TEXT NOT NULL,        -- JSON: the settings, and what came out
        UNIQUE (run, step, kind)
      ) STRICT;
      CREATE TABLE spectra (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        step INTEGER NOT NULL,
        time REAL NOT NULL,
        kind TEXT NOT NULL,        -- of which matrix
        eigenvalues BLOB NOT NULL, -- float64, little-endian, ascending
        UNIQUE (run, step, kind)
      ) STRICT;
      CREATE TABLE advice (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        step INTEGER NOT NULL,
        time REAL NOT NULL,
        kind TEXT NOT NULL,        -- who gives it
        text TEXT NOT NULL,
        data TEXT NOT NULL,        -- JSON: the numbers behind it
        UNIQUE (run, step, kind)
      ) STRICT;
      CREATE TABLE artifacts (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        name TEXT NOT NULL,
        time REAL NOT NULL,
        media_type TEXT NOT NULL,
        digest TEXT NOT NULL,      -- SHA-256, hexadecimal
        content BLOB NOT NULL,
        UNIQUE (run, name)
      ) STRICT;

      -- Runs whose trainer does not write the store itself.
      CREATE TABLE origins (
        run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
        source TEXT NOT NULL,      -- http, mlflow, tensorboard
        details TEXT NOT NULL      -- JSON, as the source needs it
      ) STRICT;
      -- How far each sender of a run has come: a record at or below this is stored already.
      CREATE TABLE senders (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        sender TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (run, sender)
      ) STRICT, WITHOUT ROWID;
      -- MLflow's groups of runs.
      CREATE TABLE experiments (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL,
        tags TEXT NOT NULL         -- JSON
      ) STRICT;
    `,
  },
];

export const schemaVersion = migrations.at(-1)!.version;

export function readSchemaVersion(database: Database): number {
  return (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

/**
 * Brings the schema up to date, all or nothing. Safe to call from several processes at once.
 *
 * @param upTo  Stops at this version: for tests of what a later one makes of it.
 */
export function migrate(database: Database, upTo: number = schemaVersion): void {
  if (readSchemaVersion(database) >= upTo) return;
  writeTransaction(database, () => {
    const from = readSchemaVersion(database); // another process may have been first
    for (const { version, sql } of migrations) if (version > from && version <= upTo) database.exec(sql);
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(`PRAGMA user_version = ${Math.max(from, upTo)}`);
  });
}
