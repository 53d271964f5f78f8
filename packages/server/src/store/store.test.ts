import { expect, onTestFinished, test, vi } from "vitest";
import { StoreError } from "../errors.js";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { openStore, storeSink } from "./store.js";

/** The code of the StoreError that `work` throws. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

test("a new store has no runs and no events", () => {
  const store = testStore();
  expect(store.runs()).toEqual([]);
  expect(store.cursor()).toBe(0);
  expect(store.eventsAfter(0)).toEqual([]);
});

test("a run can be read back while it runs and after it has ended", () => {
  const store = testStore();
  store.append(runStarted("a"));
  store.append(metrics("a", 0, { "loss/train": 2, sharpness: 30 }));
  store.append(metrics("a", 10, { "loss/train": 1 }));
  const running = store.run("a");
  expect(running).toEqual({
    id: "a",
    name: "run a",
    status: "running",
    startedAt: Date.UTC(2026, 0, 1),
    finishedAt: null,
    step: 10,
    steps: 1000,
    config: { seed: 0, learningRate: 0.01, batchSize: 1 },
    model: { paramCount: 118_282, description: "MLP 784-128-128-10 tanh" },
    message: null,
    tags: [],
    latest: { "loss/train": 1, sharpness: 30 },
    cursor: 3,
  });
  store.append(runFinished("a", { status: "diverged", step: 11, message: "loss is not finite" }));
  expect(store.run("a")).toEqual({
    ...running,
    status: "diverged",
    finishedAt: Date.UTC(2026, 0, 1) + 5000,
    step: 11,
    message: "loss is not finite",
    cursor: 4,
  });
});

test("numbers come back exactly, those that JSON and SQLite would lose too", () => {
  const folder = temporaryFolder();
  const exact = { nan: NaN, infinity: Infinity, minus: -Infinity, negativeZero: -0, tiny: 5e-324, third: 1 / 3 };
  const store = openStore(folder);
  store.append(runStarted("a"));
  store.append(metrics("a", 1, exact));
  store.close();

  const again = testStore(folder);
  const read = Object.entries(again.metrics("a").series).map(([key, { values }]) => [key, values[0]]);
  expect(Object.fromEntries(read)).toEqual(exact); // toEqual tells -0 from 0
  expect(again.eventsAfter(1, 1)).toEqual([{ sequence: 2, event: metrics("a", 1, exact) }]);
  expect(again.run("a").latest).toEqual({ ...exact, negativeZero: 0 });
});

test("metrics can be had by key and after a step", () => {
  const store = testStore();
  store.append(runStarted("a"));
  for (let step = 0; step < 5; step++) store.append(metrics("a", step, { x: step, y: -step, z: 1 }));
  const { series, cursor, runId } = store.metrics("a", { keys: ["x", "z", "not logged"], afterStep: 2 });
  expect({ runId, cursor }).toEqual({ runId: "a", cursor: 6 });
  expect(Object.keys(series)).toEqual(["x", "z"]);
  expect([...series.x!.steps]).toEqual([3, 4]);
  expect([...series.x!.values]).toEqual([3, 4]);
});

test("events of all runs form one gapless sequence, readable from any place in pieces of any size", () => {
  const store = testStore();
  const appended = [runStarted("a"), runStarted("b")] as Parameters<typeof store.append>[0][];
  for (let step = 0; step < 40; step++) appended.push(metrics(step % 3 === 0 ? "b" : "a", step, { loss: step }));
  for (const event of appended) store.append(event);
  store.append(runFinished("a"));
  const all = store.eventsAfter(0);
  expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 43 }, (_, i) => i + 1));
  for (const run of ["a", "b"]) {
    const ofRun = (events: { runId: string }[]) => events.filter(({ runId }) => runId === run);
    const expected = ofRun([...appended, runFinished("a")]);
    expect(ofRun(all.map(({ event }) => event))).toEqual(expected);
  }
  for (const size of [1, 2, 7, 43]) {
    const pieces = [];
    for (let cursor = 0; cursor < 43; cursor = pieces.at(-1)!.sequence) pieces.push(...store.eventsAfter(cursor, size));
    expect(pieces).toEqual(all);
  }
});

test("an event is stored within 250 ms without anybody flushing", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const folder = temporaryFolder();
  const writer = testStore(folder);
  const reader = testStore(folder, { readOnly: true });
  writer.append(runStarted("a"));
  for (let step = 0; step < 100; step++) {
    writer.append(metrics("a", 2 * step, { loss: 2 * step }));
    writer.append(metrics("a", 2 * step + 1, { loss: 2 * step + 1 }));
    vi.advanceTimersByTime(250);
    expect(reader.run("a").latest).toEqual({ loss: 2 * step + 1 });
  }
});

test("an event that comes alone is stored at once", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const folder = temporaryFolder();
  const writer = testStore(folder);
  const reader = testStore(folder, { readOnly: true });
  writer.append(runStarted("a"));
  for (let step = 0; step < 5; step++) {
    vi.advanceTimersByTime(1000);
    writer.append(metrics("a", step, { loss: step }));
    expect(reader.run("a").latest).toEqual({ loss: step });
  }
});

test("runs are listed newest first", () => {
  const store = testStore();
  for (const id of ["b", "a", "c"]) store.append(runStarted(id));
  expect(store.runs().map(({ id }) => id)).toEqual(["c", "a", "b"]);
});

test("a run is found by id, by the beginning of its id, and by its name, where only one fits", () => {
  const store = testStore();
  for (const [id, name] of [
    ["2q8v0k", "first"],
    ["2q8v0kz", "twice"],
    ["2q9", "twice"],
    ["9_x", "2q8"],
  ] as const) {
    store.append(runStarted(id, { name }));
  }
  expect(store.run("2q8v0k").id).toBe("2q8v0k"); // exact, though it begins another
  expect(store.run("2q8v0kz").id).toBe("2q8v0kz");
  expect(store.run("2q9").id).toBe("2q9");
  expect(store.run("9").id).toBe("9_x");
  expect(store.run("first").id).toBe("2q8v0k");
  expect(codeOf(() => store.run("2q8"))).toBe("ambiguous-run");
  expect(codeOf(() => store.run("twice"))).toBe("ambiguous-run");
  for (const unknown of ["", "zzz", "%", "_", "9%", "FIRST"])
    expect(codeOf(() => store.run(unknown))).toBe("unknown-run");
  expect(() => store.run("2q8")).toThrow('run "2q8" could be 2q8v0kz, 2q8v0k. Give more of the id.');
});

test("what does not fit is refused and leaves nothing behind", () => {
  const store = testStore();
  expect(codeOf(() => store.append(metrics("a", 0, { loss: 1 })))).toBe("run-not-open");
  expect(codeOf(() => store.append(runStarted("../a")))).toBe("bad-event");
  expect(codeOf(() => store.append(runStarted("a", { steps: 0.5 })))).toBe("bad-event");
  store.append(runStarted("a"));
  for (const event of [
    metrics("a", -1, { loss: 1 }),
    metrics("a", NaN, { loss: 1 }),
    metrics("a", 1, { "": 1 }),
    metrics("a", 1, { ["k".repeat(251)]: 1 }),
    metrics("a", 1, JSON.parse('{"__proto__": 1}') as Record<string, number>),
    metrics("a", 1, { loss: "1" as unknown as number }),
    { ...metrics("a", 1, { loss: 1 }), time: Infinity },
  ]) {
    expect(codeOf(() => store.append(event))).toBe("bad-event");
  }
  store.append(runFinished("a"));
  expect(codeOf(() => store.append(metrics("a", 1, { loss: 1 })))).toBe("run-not-open");
  expect(codeOf(() => store.append(runStarted("a")))).toBe("run-exists");
  expect(store.cursor()).toBe(2);
  expect(store.checkIntegrity()).toMatchObject({ sound: true, runs: 1, events: 2, points: 0 });
});

test("a run that failed can be taken up again; one that diverged has come to its end", () => {
  const store = testStore();
  for (const [id, status] of [
    ["a", "failed"],
    ["b", "diverged"],
  ] as const) {
    store.append(runStarted(id));
    store.append({ ...runFinished(id), status });
  }
  store.append(runStarted("a"));
  expect(store.run("a")).toMatchObject({ status: "running", finishedAt: null, message: null });
  expect(codeOf(() => store.append(runStarted("b")))).toBe("run-exists");
});

test("closing ends what is still open as interrupted, and such a run can be taken up again", () => {
  const folder = temporaryFolder();
  const store = openStore(folder);
  store.append(runStarted("a"));
  for (let step = 0; step <= 20; step++) store.append(metrics("a", step, { loss: step }));
  store.close();
  store.close(); // again does nothing
  expect(codeOf(() => store.runs())).toBe("store-closed");

  const again = testStore(folder);
  expect(again.run("a")).toMatchObject({ status: "interrupted", step: 20, latest: { loss: 20 } });
  again.append(runStarted("a"));
  expect(again.run("a")).toMatchObject({ status: "running", finishedAt: null, message: null });
  // Taken up from a checkpoint at step 15: the second account of steps 15 to 20 replaces the first.
  for (let step = 15; step <= 25; step++) again.append(metrics("a", step, { loss: step + 100 }));
  again.append(runFinished("a", { step: 25 }));
  const { steps, values } = again.metrics("a").series.loss!;
  expect([...steps]).toEqual(Array.from({ length: 26 }, (_, i) => i));
  expect([...values]).toEqual(Array.from({ length: 26 }, (_, i) => (i < 15 ? i : i + 100)));
  expect(again.checkIntegrity().problems).toEqual([]);
});

test("tags can be changed by any process while another writes the run, and are told in the stream", () => {
  const folder = temporaryFolder();
  const writer = testStore(folder);
  const other = testStore(folder);
  writer.append(runStarted("abc"));
  expect(other.setTags("ab", ["paper", "a", "paper"])).toEqual(["a", "paper"]);
  writer.append(metrics("abc", 1, { loss: 1 }));
  expect(writer.run("abc")).toMatchObject({ tags: ["a", "paper"], status: "running", cursor: 3 });
  expect(writer.runs()[0]!.tags).toEqual(["a", "paper"]);
  expect(writer.eventsAfter(1, 1)).toMatchObject([
    { event: { type: "run-tagged", runId: "abc", tags: ["a", "paper"] } },
  ]);
  for (const tag of ["", " ", "a ", " a", "a,b", "a\nb", "x".repeat(65)]) {
    expect(codeOf(() => other.setTags("abc", [tag]))).toBe("bad-event");
  }
  expect(
    codeOf(() =>
      other.setTags(
        "abc",
        Array.from({ length: 65 }, (_, i) => `t${i}`),
      ),
    ),
  ).toBe("bad-event");
  expect(codeOf(() => other.setTags("nobody", []))).toBe("unknown-run");
  writer.append(runFinished("abc"));
  expect(writer.run("abc").tags).toEqual(["a", "paper"]);
  other.deleteRun("abc");
  writer.append(runStarted("abc"));
  expect(writer.run("abc").tags).toEqual([]);
});

test("a deleted run is gone, the sequence goes on, and readers are told", () => {
  const store = testStore();
  store.append(runStarted("abc"));
  store.append(metrics("abc", 1, { loss: 1 }));
  expect(codeOf(() => store.deleteRun("abc"))).toBe("run-busy");
  store.append(runFinished("abc"));
  expect(store.deleteRun("ab")).toBe("abc");
  expect(codeOf(() => store.run("abc"))).toBe("unknown-run");
  expect(store.runs()).toEqual([]);
  expect(store.eventsAfter(0)).toEqual([
    { sequence: 4, event: { type: "run-deleted", runId: "abc", time: expect.any(Number) as number } },
  ]);
  store.append(runStarted("abc"));
  expect(store.cursor()).toBe(5);
  expect(store.checkIntegrity().problems).toEqual([]);
});

test("a store opened for reading refuses to write and sees what others write", () => {
  const folder = temporaryFolder();
  const writer = testStore(folder);
  const reader = testStore(folder, { readOnly: true });
  writer.append(runStarted("a"));
  expect(reader.run("a").status).toBe("running");
  expect(reader.cursor()).toBe(1);
  expect(codeOf(() => reader.append(runStarted("b")))).toBe("read-only");
  expect(codeOf(() => reader.deleteRun("a"))).toBe("read-only");
});

test("a store's identity stays with it and differs from another's", () => {
  const folder = temporaryFolder();
  const first = openStore(folder);
  first.close();
  expect(testStore(folder).identity).toBe(first.identity);
  expect(testStore().identity).not.toBe(first.identity);
});

test("a sink writes to the store and leaves it open", async () => {
  const store = testStore();
  const sink = storeSink(store);
  sink.write({ ...runStarted("a"), config: {} as never });
  sink.write(metrics("a", 1, { loss: 1 }));
  await sink.close?.();
  expect(store.run("a").latest).toEqual({ loss: 1 });
});
