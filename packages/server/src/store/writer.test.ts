import { expect, onTestFinished, test } from "vitest";
import { StoreError } from "../errors.js";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { openDatabase } from "./connection.js";
import { WriterLiveness } from "./writer-lock.js";
import { RunWriter } from "./writer.js";

/** A writer whose database may not grow, which SQLite reports as a full disk. */
function writerOnFullDisk() {
  const folder = temporaryFolder();
  const database = openDatabase(folder, false);
  onTestFinished(() => database.close());
  const writer = new RunWriter(database, folder, new WriterLiveness(folder));
  writer.append(runStarted("a"));
  const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
  const allow = (more: number) => database.exec(`PRAGMA max_page_count = ${pages + more}`);
  allow(0);
  return { folder, writer, allow };
}

test("on a full disk an event is either taken and kept, or refused with the reason; none is lost or doubled", () => {
  const { folder, writer, allow } = writerOnFullDisk();
  const taken: number[] = [];
  const refused: number[] = [];
  const append = (step: number) => {
    try {
      writer.append(metrics("a", step, { loss: step, [`key ${step % 50}`]: 1 }));
      taken.push(step);
    } catch (error) {
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: "disk-full" });
      refused.push(step);
    }
  };
  for (let step = 0; step < 5000; step++) append(step);
  expect(refused.length).toBeGreaterThan(0);
  expect(() => writer.flush()).toThrow("the disk is full");

  allow(1000); // somebody has made room
  for (let step = 5000; step < 5100; step++) append(step);
  writer.append(runFinished("a", { step: 5100 }));
  writer.close();

  const store = testStore(folder);
  expect([...store.metrics("a").series.loss!.steps]).toEqual(taken);
  const numbered = store.eventsAfter(0, 10_000).map(({ sequence }) => sequence);
  expect(numbered).toEqual(Array.from({ length: taken.length + 2 }, (_, i) => i + 1));
  expect(store.checkIntegrity().problems).toEqual([]);
});

test("a run whose end cannot be stored stays open and can be ended later", () => {
  const { folder, writer, allow } = writerOnFullDisk();
  const message = "x".repeat(20_000); // more than the free part of any page
  expect(() => writer.append(runFinished("a", { message }))).toThrow("the disk is full");
  allow(100);
  writer.append(runFinished("a", { message }));
  writer.close();
  expect(testStore(folder).run("a")).toMatchObject({ status: "finished", message });
});
