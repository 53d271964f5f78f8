import { once } from "node:events";
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { Child, compiledSources } from "../testing/children.js";
import type { OpenTogether } from "../testing/open-together.js";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";

/** Several processes on one store: real ones, since locks between connections of one process prove nothing. */
const sources = compiledSources();

async function childWriting(folder: string, runId: string): Promise<Child> {
  const child = new Child(sources);
  expect(await child.tell({ do: "open", folder })).toEqual({ done: "open" });
  expect(await child.tell({ do: "append", events: [runStarted(runId)] })).toEqual({ done: "append" });
  return child;
}

test("processes that find no store make one together", async () => {
  const folder = join(temporaryFolder(), "new", "store");
  const children = Array.from({ length: 6 }, () => new Child(sources));
  const answers = await Promise.all(children.map((child) => child.tell({ do: "open", folder })));
  expect(answers).toEqual(children.map(() => ({ done: "open" })));
  expect(testStore(folder).checkIntegrity().problems).toEqual([]);
});

test("an empty database is nobody's until its tables are made, at whatever moment another connection looks", async () => {
  const threads = 4;
  const ready = new Int32Array(new SharedArrayBuffer(4));
  const workerData: OpenTogether = { folder: temporaryFolder(), rounds: 40, threads, ready };
  const script = join(sources.folder, "testing", "open-together.js");
  const failures = await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(script, { workerData });
      const [messages] = (await once(worker, "message")) as [string[]];
      return messages;
    }),
  );
  expect(failures.flat()).toEqual([]);
});

test("processes write at once while another reads: nothing is lost, and no reader sees a number and later a smaller one", async () => {
  const folder = temporaryFolder();
  const names = ["a", "b", "c", "d"];
  const children = await Promise.all(names.map((name) => childWriting(folder, name)));
  const reader = testStore(folder, { readOnly: true });
  const batches = 20;
  const perBatch = 50;
  let writing = true;
  const written = Promise.all(
    children.map(async (child, c) => {
      for (let batch = 0; batch < batches; batch++) {
        const events = Array.from({ length: perBatch }, (_, i) =>
          metrics(names[c]!, batch * perBatch + i, { value: c * 1e6 + batch * perBatch + i }),
        );
        await child.tell({ do: "append", events });
      }
      await child.tell({ do: "append", events: [runFinished(names[c]!)] });
    }),
  ).then(() => (writing = false));

  const seen: number[] = [];
  const read = () => seen.push(...reader.eventsAfter(seen.at(-1) ?? 0).map(({ sequence }) => sequence));
  while (writing) {
    read();
    await sleep(2);
  }
  await written;
  while (read() > reader.cursor() - 1 && seen.at(-1) !== reader.cursor());
  expect(seen).toEqual(Array.from({ length: names.length * (batches * perBatch + 2) }, (_, i) => i + 1));
  for (const [c, name] of names.entries()) {
    const { steps, values } = reader.metrics(name).series.value!;
    expect([...steps]).toEqual(Array.from({ length: batches * perBatch }, (_, i) => i));
    expect([...values]).toEqual(Array.from({ length: batches * perBatch }, (_, i) => c * 1e6 + i));
  }
  expect(reader.checkIntegrity().problems).toEqual([]);
});

test("a second process may not write a run that is being written, nor delete it", async () => {
  const folder = temporaryFolder();
  await childWriting(folder, "mine");
  const other = testStore(folder);
  expect(() => other.append(runStarted("mine"))).toThrow("run mine is being written by another process");
  expect(() => other.append(metrics("mine", 1, { loss: 1 }))).toThrow("run mine, which this store has not started");
  expect(() => other.deleteRun("mine")).toThrow("run mine is still being written");
  expect(other.run("mine").status).toBe("running");
});

test("a run whose process is killed is interrupted, says so in the stream, and can go on elsewhere", async () => {
  const folder = temporaryFolder();
  const child = await childWriting(folder, "a");
  await child.tell({ do: "append", events: [metrics("a", 7, { loss: 0.5 })] });
  await child.tell({ do: "flush" });
  const watcher = testStore(folder);
  const reader = testStore(folder, { readOnly: true });
  expect(watcher.markInterrupted()).toEqual([]);
  await child.kill();

  // A store that may not write comes to the same answer by itself.
  const expected = { status: "interrupted", step: 7, finishedAt: metrics("a", 7, {}).time, latest: { loss: 0.5 } };
  expect(reader.run("a")).toMatchObject(expected);
  // Who has just seen the writer alive looks again after a quarter of a second.
  await vi.waitFor(() => expect(watcher.markInterrupted()).toEqual(["a"]), { interval: 50, timeout: 20_000 });
  expect(watcher.markInterrupted()).toEqual([]);
  expect(watcher.run("a")).toMatchObject(expected);
  expect(watcher.eventsAfter(2)).toMatchObject([
    { sequence: 3, event: { type: "run-finished", runId: "a", status: "interrupted", step: 7 } },
  ]);
  expect(readdirSync(join(folder, "writers"))).toEqual([]);

  watcher.append(runStarted("a"));
  watcher.append(metrics("a", 8, { loss: 0.4 }));
  watcher.append(runFinished("a", { step: 8 }));
  expect(watcher.run("a")).toMatchObject({ status: "finished", step: 8 });
});

test("a process that is stopped, and not dead, keeps its run", async () => {
  const folder = temporaryFolder();
  const child = await childWriting(folder, "a");
  child.process.kill("SIGSTOP");
  const watcher = testStore(folder);
  expect(watcher.run("a").status).toBe("running");
  expect(() => watcher.append(runStarted("a"))).toThrow("being written by another process");
  child.process.kill("SIGCONT");
  expect(await child.tell({ do: "append", events: [runFinished("a")] })).toEqual({ done: "append" });
  expect(watcher.run("a").status).toBe("finished");
});

test("a process that ends by an uncaught error still writes what waited", async () => {
  const folder = temporaryFolder();
  const child = await childWriting(folder, "a");
  const events = Array.from({ length: 30 }, (_, step) => metrics("a", step, { loss: step }));
  await child.tell({ do: "append", events });
  await child.tell({ do: "crash" });
  await child.exited;
  expect(testStore(folder).run("a")).toMatchObject({ status: "interrupted", latest: { loss: 29 } });
});

test("a store that another user writes can be read while they do, and not written", async () => {
  const folder = temporaryFolder();
  await childWriting(folder, "a");
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), name === "writers" ? 0o555 : 0o444);
  chmodSync(folder, 0o555);
  // Permissions do not hold for root.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!(65534);
  try {
    expect(() => testStore(folder)).toThrow(`Run store ${folder}: cannot write there`);
    expect(testStore(folder, { readOnly: true }).run("a").status).toBe("running");
  } finally {
    if (root) process.seteuid!(0);
  }
});

test("a clean close leaves no lock behind", async () => {
  const folder = temporaryFolder();
  const child = await childWriting(folder, "a");
  expect(readdirSync(join(folder, "writers"))).toHaveLength(1);
  await child.tell({ do: "close" });
  expect(readdirSync(join(folder, "writers"))).toEqual([]);
  expect(testStore(folder).run("a").status).toBe("interrupted");
});

test("kill -9 at any moment loses nothing that was flushed, and never damages the store", async () => {
  const folder = temporaryFolder();
  for (let round = 0; round < 12; round++) {
    const runId = `run-${round}`;
    const child = await childWriting(folder, runId);
    child.send({ do: "flood", runId });
    await child.until((answers) => answers.find((answer) => "flushed" in answer));
    // Moments spread over the cycle of append, flush and report, which takes about a millisecond, by a golden ratio.
    await sleep(20 + ((round * 0.618) % 1) * 10);
    await child.kill();

    const acknowledged = child.answers.findLast((answer) => "flushed" in answer)!;
    const store = testStore(folder);
    const { steps, values } = store.metrics(runId).series.loss!;
    expect(steps.length).toBeGreaterThanOrEqual(acknowledged.flushed);
    // Not only enough of them: a prefix of what was written, none missing, none torn.
    expect([...steps]).toEqual(Array.from(steps, (_, i) => i));
    expect([...values]).toEqual(Array.from(steps, (_, i) => 1 / (1 + i)));
    expect(store.cursor()).toBeGreaterThanOrEqual(acknowledged.cursor);
    expect(store.run(runId).status).toBe("interrupted");
    store.close();
  }
  expect(testStore(folder).checkIntegrity().problems).toEqual([]);
  expect(existsSync(join(folder, "sedge.db"))).toBe(true);
});
