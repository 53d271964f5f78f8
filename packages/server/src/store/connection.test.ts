import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, describe, expect, test } from "vitest";
import { StoreError } from "../errors.js";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { asStoreError, databaseName } from "./connection.js";
import { schemaVersion } from "./migrations.js";
import { openStore } from "./store.js";

function failure(work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("expected a StoreError");
}

/** A store with one finished run, closed again. */
function finishedStore(): string {
  const folder = temporaryFolder();
  const store = openStore(folder);
  store.append(runStarted("a"));
  store.append(metrics("a", 1, { loss: 1 }));
  store.append(runFinished("a"));
  store.close();
  return folder;
}

function alter(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, databaseName));
  database.exec(sql);
  database.close();
}

/** File permissions do not hold for root, so the test gives root up for as long as it runs. */
const root = process.geteuid?.() === 0;
function withoutRoot(): void {
  if (root) process.seteuid!(65534);
}
afterEach(() => {
  if (root) process.seteuid!(0);
});

test("a folder that is missing is made", () => {
  const folder = join(temporaryFolder(), "some", "where");
  testStore(folder);
  expect(readdirSync(folder)).toContain(databaseName);
});

test("reading where there is no store says so, and makes none", () => {
  const folder = join(temporaryFolder(), "nothing");
  const error = failure(() => openStore(folder, { readOnly: true }));
  expect(error.code).toBe("no-store");
  expect(error.message).toBe(
    `Run store ${folder}: there is none (no sedge.db). Start a run first, or name another folder with --store.`,
  );
  expect(existsSync(folder)).toBe(false);
});

test("a folder that is a file", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const error = failure(() => openStore(file));
  expect(error.code).toBe("folder-unusable");
  expect(error.message).toContain(`Run store ${file}: cannot write there (EEXIST). Choose another folder with --store`);
});

describe("a folder without permission to write", () => {
  test("is refused for writing, in one line that names it", () => {
    const folder = finishedStore();
    chmodSync(folder, 0o555);
    chmodSync(join(folder, databaseName), 0o444);
    withoutRoot();
    const error = failure(() => openStore(folder));
    expect(error.code).toBe("folder-unusable");
    expect(error.message).toBe(
      `Run store ${folder}: cannot write there (attempt to write a readonly database). Choose another folder with --store, or make this one writable.`,
    );
  });

  test("can be read", () => {
    const folder = finishedStore();
    chmodSync(folder, 0o555);
    chmodSync(join(folder, databaseName), 0o444);
    withoutRoot();
    const store = openStore(folder, { readOnly: true });
    expect(store.run("a")).toMatchObject({ status: "finished", latest: { loss: 1 } });
    store.close();
    expect(readdirSync(folder).sort()).toEqual([databaseName, "writers"]);
  });

  test("whose parent cannot be written either is not half made", () => {
    const parent = temporaryFolder();
    chmodSync(parent, 0o555);
    withoutRoot();
    expect(failure(() => openStore(join(parent, "new"))).code).toBe("folder-unusable");
    expect(readdirSync(parent)).toEqual([]);
  });
});

test("a database of a newer schema is refused, for reading too, and left as it is", () => {
  const folder = finishedStore();
  alter(folder, `PRAGMA user_version = ${schemaVersion + 1}`);
  for (const readOnly of [false, true]) {
    const error = failure(() => openStore(folder, { readOnly }));
    expect(error.code).toBe("schema-too-new");
    expect(error.message).toBe(
      `Run store ${folder}: its schema is version ${schemaVersion + 1}, this Sedge knows up to ${schemaVersion}. ` +
        "Update Sedge, or name another folder with --store.",
    );
  }
  alter(folder, `PRAGMA user_version = ${schemaVersion}`);
  expect(testStore(folder).run("a").status).toBe("finished");
});

test("another program's database is refused", () => {
  const folder = temporaryFolder();
  alter(folder, "CREATE TABLE theirs (x)");
  expect(failure(() => openStore(folder)).code).toBe("not-a-store");
});

test("a file that is no database is refused", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, databaseName), "not a database at all. ".repeat(1000));
  for (const readOnly of [false, true]) {
    expect(failure(() => openStore(folder, { readOnly })).code).toBe("store-corrupt");
  }
});

test("a lost folder of locks means that no writer lives", () => {
  const folder = temporaryFolder();
  const store = openStore(folder);
  store.append(runStarted("a"));
  rmSync(join(folder, "writers"), { recursive: true });
  expect(testStore(folder).run("a").status).toBe("interrupted");
  store.close();
});

test("a full disk is named as such, whether the file system or SQLite says so", () => {
  const fromSystem = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const fromSqlite = Object.assign(new Error("database or disk is full"), { errcode: 13 });
  for (const error of [fromSystem, fromSqlite]) {
    expect(asStoreError(error, "/runs")).toMatchObject({
      code: "disk-full",
      message: "Run store /runs: the disk is full. Free some space and go on.",
    });
  }
});

test("damage inside the file is found by the check, with its place", () => {
  const folder = finishedStore();
  // Flips one bit of a value inside a block, where SQLite keeps no checksum.
  alter(
    folder,
    "UPDATE events SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'41' AS BLOB) WHERE kind = 'metrics'",
  );
  alter(folder, "UPDATE metrics SET points = 5");
  const report = testStore(folder).checkIntegrity();
  expect(report.sound).toBe(false);
  expect(report.problems[0]).toBe("block 2: a block of metrics does not match its checksum.");
  expect(report.problems.slice(1)).toEqual([
    "run a: loss: 0 points found, expected 5",
    "run a: loss: the last value is NaN, expected 1",
  ]);
});
