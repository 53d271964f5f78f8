import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import type { RunEvent } from "@sedge/lab";
import { expect, test } from "vitest";
import { exportRun } from "../export/export-run.js";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { databaseName } from "./connection.js";
import { largestArtifact } from "./records.js";
import { storeSink } from "./store.js";

const probe = { step: 3, time: 1000, kind: "ntk", data: { exact: { value: Infinity, standardError: NaN } } };
const eigenvalues = Float64Array.of(0, 5e-324, 1 / 3, Infinity);

test("probes, spectra, advice and artifacts come back as they were given, also after closing", () => {
  const folder = temporaryFolder();
  const store = testStore(folder);
  store.append(runStarted("a"));
  const content = Uint8Array.of(0, 255, 7);
  store.record("a", {
    probes: [probe],
    spectra: [{ step: 3, time: 1000, kind: "ntk", eigenvalues }],
    advice: [{ step: 3, time: 1000, kind: "probe", text: "well inside", data: { learningRate: 0.1 } }],
    artifacts: [{ name: "figures/K of t.png", time: 1000, mediaType: "image/png", content }],
  });
  expect(store.eventsAfter(1)).toMatchObject([
    {
      sequence: 2,
      event: { type: "recorded", runId: "a", step: 3, what: ["probe", "spectrum", "advice", "artifact"] },
    },
  ]);
  store.close();

  const again = testStore(folder, { readOnly: true });
  const data = { exact: { value: "Infinity", standardError: "NaN" } };
  expect(again.probes("a")).toEqual([{ ...probe, data }]);
  expect(again.spectra("a")).toEqual([{ step: 3, time: 1000, kind: "ntk", eigenvalues }]);
  expect(again.advice("a")).toEqual([
    { step: 3, time: 1000, kind: "probe", text: "well inside", data: { learningRate: 0.1 } },
  ]);
  // Of the three bytes, by sha256sum.
  const digest = "92e469e6f34332f611f46cc5371592264628458db80d2a9c40310daec8384d23";
  expect(again.artifacts("a")).toEqual([
    { name: "figures/K of t.png", time: 1000, mediaType: "image/png", bytes: 3, digest },
  ]);
  expect([...again.artifact("a", "figures/K of t.png").content]).toEqual([0, 255, 7]);
  expect(() => again.artifact("a", "other")).toThrow("has no artifact");
  expect(again.checkIntegrity().problems).toEqual([]);
});

test("what is given again for a step takes the place of what was there; lists are in order of step", () => {
  const store = testStore();
  store.append(runStarted("a"));
  for (const [step, value] of [
    [5, 1],
    [2, 2],
    [5, 3],
    [9, 4],
  ] as const) {
    store.record("a", { probes: [{ step, time: 0, kind: "ntk", data: { value } }] });
  }
  const found = (query?: object) => store.probes("a", query).map(({ step, data }) => [step, data.value]);
  expect(found()).toEqual([
    [2, 2],
    [5, 3],
    [9, 4],
  ]);
  expect(found({ afterStep: 2 })).toEqual([
    [5, 3],
    [9, 4],
  ]);
  expect(found({ limit: 1 })).toEqual([[9, 4]]);
});

test("a trainer's records are probes of their kind, and its advice is advice; both are found by kind, prefixes too", () => {
  const folder = temporaryFolder();
  const store = testStore(folder);
  const sink = storeSink(store);
  sink.write(runStarted("a") as RunEvent);
  const record = (step: number, kind: string, data: Record<string, unknown>) =>
    sink.write({ type: "record", runId: "a", time: 1000, step, kind, data });
  record(1, "spectrum/ntk", { eigenvalues: Float64Array.of(0, NaN, 2) });
  record(1, "spectrum/hessian", { lambdaMax: 4 });
  record(1, "spectrumlike", {});
  record(2, "spectrum/ntk", { eigenvalues: [1] });
  record(2, "advice", { text: "lower it", from: "control", change: { learningRate: 0.1 } });

  const steps = (kind?: string[]) => store.probes("a", { kind }).map((one) => [one.step, one.kind]);
  expect(steps(["spectrum"])).toEqual([
    [1, "spectrum/ntk"],
    [1, "spectrum/hessian"],
    [2, "spectrum/ntk"],
  ]);
  expect(steps(["spectrum/hessian", "spectrumlike"])).toEqual([
    [1, "spectrum/hessian"],
    [1, "spectrumlike"],
  ]);
  expect(steps([])).toEqual([]);
  expect(store.probes("a", { limit: 1 })[0]!.data).toEqual({ eigenvalues: [1] });
  expect(store.probes("a")[0]!.data).toEqual({ eigenvalues: [0, "NaN", 2] });
  expect(store.advice("a")).toEqual([
    { step: 2, time: 1000, kind: "control", text: "lower it", data: { change: { learningRate: 0.1 } } },
  ]);
  expect(store.eventsAfter(1, 1)[0]!.event).toMatchObject({
    type: "recorded",
    what: ["probe"],
    kinds: ["spectrum/ntk"],
  });
  const exported = JSON.parse(new TextDecoder().decode(exportRun(store, "a", "json"))) as Record<string, unknown[]>;
  expect([exported.probes, exported.advice].map((list) => list!.length)).toEqual([4, 1]);
  expect(store.checkIntegrity().problems).toEqual([]);

  store.close();
  const database = new DatabaseSync(join(folder, databaseName));
  database.exec("UPDATE probes SET data = '{' WHERE kind = 'spectrumlike'");
  database.close();
  expect(testStore(folder).checkIntegrity().problems).toEqual([
    "run a: probes spectrumlike at step 1: its data are no JSON",
  ]);
});

test("any process may record for a run, and a run's records go with it", () => {
  const folder = temporaryFolder();
  const writer = testStore(folder);
  writer.append(runStarted("a"));
  const other = testStore(folder);
  other.record("a", { probes: [probe] });
  expect(writer.probes("a")).toHaveLength(1);
  expect(() => other.record("nobody", { probes: [probe] })).toThrow("no run has this id");
  writer.append(runFinished("a"));
  writer.deleteRun("a");
  writer.append(runStarted("a"));
  expect(writer.probes("a")).toEqual([]);
});

test.each([
  [{ probes: [{ ...probe, step: -1 }] }, "step: expected an integer from 0 up, got -1"],
  [{ probes: [{ ...probe, time: NaN }] }, "time: expected milliseconds"],
  [{ probes: [{ ...probe, kind: "a b" }] }, "kind: expected 1 to 64 letters"],
  [
    { probes: [{ ...probe, data: { text: "a".repeat(4 * 2 ** 20) } }] },
    "data: expected at most 4194304 characters as JSON",
  ],
  [{ artifacts: [artifact("../up")] }, "name: expected a relative path"],
  [{ artifacts: [artifact("/root")] }, "name: expected a relative path"],
  [{ artifacts: [artifact("a/./b")] }, "name: expected a relative path"],
  [{ artifacts: [{ ...artifact("a"), mediaType: "text/html\r\nX: y" }] }, "mediaType"],
  [{ artifacts: [{ ...artifact("a"), content: new Uint8Array(largestArtifact + 1) }] }, "content: expected at most"],
])("what cannot be kept is refused, and nothing of it is stored: %#", (records, message) => {
  const store = testStore();
  store.append(runStarted("a"));
  const before = store.cursor();
  expect(() => store.record("a", records)).toThrow(message);
  expect(store.cursor()).toBe(before);
});

function artifact(name: string) {
  return { name, time: 0, mediaType: "text/plain", content: new Uint8Array(1) };
}

test("a run that is resumed from a checkpoint and sends steps again leaves the store as an unbroken run does", () => {
  const values = (step: number) => ({
    loss: 1 / (1 + step),
    ...(step % 10 === 0 ? { "noiseKernel/exact": step / 100 } : {}),
  });
  const write = (store: ReturnType<typeof testStore>, from: number, to: number) => {
    for (let step = from; step <= to; step++) {
      store.append(metrics("a", step, values(step)));
      if (step % 10 === 0) {
        store.record("a", { spectra: [{ step, time: 0, kind: "ntk", eigenvalues: Float64Array.of(step) }] });
      }
    }
  };
  const unbroken = testStore();
  unbroken.append(runStarted("a"));
  write(unbroken, 0, 100);
  unbroken.append(runFinished("a", { step: 100 }));

  const folder = temporaryFolder();
  const first = testStore(folder);
  first.append(runStarted("a"));
  write(first, 0, 73);
  first.close();
  const second = testStore(folder);
  second.append(runStarted("a"));
  write(second, 41, 100); // its checkpoint was of step 40
  second.append(runFinished("a", { step: 100 }));

  const state = (store: typeof unbroken) => {
    const { status, step, latest, finishedAt, startedAt } = store.run("a");
    return {
      status,
      step,
      latest,
      finishedAt,
      startedAt,
      series: store.metrics("a").series,
      spectra: store.spectra("a"),
    };
  };
  expect(state(second)).toEqual(state(unbroken));
  expect(second.checkIntegrity().problems).toEqual([]);
});

test("the check finds an artifact that has changed and a spectrum that is cut", () => {
  const folder = temporaryFolder();
  const store = testStore(folder);
  store.append(runStarted("a"));
  store.record("a", { artifacts: [artifact("x.txt")], spectra: [{ step: 1, time: 0, kind: "ntk", eigenvalues }] });
  const database = new DatabaseSync(join(folder, databaseName));
  database.exec("UPDATE artifacts SET content = x'01'; UPDATE spectra SET eigenvalues = x'0102'");
  database.close();
  expect(store.checkIntegrity().problems).toEqual([
    "run a: artifact x.txt: its content has changed",
    "run a: spectrum at step 1: its length is no whole number of eigenvalues",
  ]);
});
