import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { databaseName, type Database } from "./connection.js";
import { encodeMetricBlock } from "./metric-block.js";
import { migrate, migrations, readSchemaVersion, schemaVersion } from "./migrations.js";
import { openStore } from "./store.js";

function database(folder: string, version: number): Database {
  const made = new DatabaseSync(join(folder, databaseName));
  migrate(made, version);
  return made;
}

const schemaOf = (folder: string): unknown[] => {
  const opened = new DatabaseSync(join(folder, databaseName), { readOnly: true });
  const objects = opened.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();
  opened.close();
  return objects;
};

test("versions are numbered 1, 2, 3, …", () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1));
});

test("from every older version the schema becomes the same", () => {
  const fresh = temporaryFolder();
  testStore(fresh).close();
  for (let version = 1; version <= schemaVersion; version++) {
    const folder = temporaryFolder();
    const old = database(folder, version);
    expect(readSchemaVersion(old)).toBe(version);
    old.close();
    testStore(folder).close();
    expect(schemaOf(folder)).toEqual(schemaOf(fresh));
  }
});

test("what version 1 recorded is still there", () => {
  const folder = temporaryFolder();
  const old = database(folder, 1);
  old.exec(`
    INSERT INTO runs VALUES (1, 'a', 'old', 'finished', 1000, 3000, 3000, 7, 10, '{"seed":1}', '{"paramCount":3,"description":"m"}', NULL, NULL, 3);
    INSERT INTO metrics VALUES (1, 1, 'loss', 1, 7, 0.5);
    UPDATE store SET sequence = 3;
  `);
  const started = JSON.stringify({ ...runStarted("a", { name: "old" }), time: 1000 });
  old.prepare("INSERT INTO events VALUES (1, 1, 1, 'run-started', 0, ?)").run(started);
  const block = encodeMetricBlock([{ step: 7, time: 2000, values: { loss: 0.5 } }], () => 1);
  old.prepare("INSERT INTO events VALUES (2, 1, 1, 'metrics', 7, ?)").run(block);
  const finished = JSON.stringify({ type: "run-finished", runId: "a", time: 3000, step: 7, status: "finished" });
  old.prepare("INSERT INTO events VALUES (3, 1, 1, 'run-finished', 7, ?)").run(finished);
  old.close();

  const store = testStore(folder);
  expect(store.run("a")).toMatchObject({ name: "old", status: "finished", tags: [], latest: { loss: 0.5 }, cursor: 3 });
  expect([...store.metrics("a").series.loss!.values]).toEqual([0.5]);
  expect(store.eventsAfter(0).map(({ event }) => event.type)).toEqual(["run-started", "metrics", "run-finished"]);
  expect(store.checkIntegrity().problems).toEqual([]);
});

test("an older store is not changed by reading: it says what to do", () => {
  const folder = temporaryFolder();
  database(folder, 1).close();
  expect(() => openStore(folder, { readOnly: true })).toThrow(
    `its schema is version 1, this Sedge reads ${schemaVersion}. Open it once for writing (sedge serve)`,
  );
});
