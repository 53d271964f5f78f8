import { expect, test } from "vitest";
import type { LiveEvent, RunSummary } from "../api/types.js";
import { RunData } from "./run-data.js";

const run: RunSummary = {
  id: "a",
  name: "first",
  status: "running",
  startedAt: 1000,
  finishedAt: null,
  step: 10,
  steps: 100,
  config: { learningRate: 0.01, batchSize: 1 },
  model: { paramCount: 1, description: "" },
  message: null,
  tags: [],
  latest: { "loss/train": 0.5, sharpness: 60 },
  cursor: 7,
  verdict: null,
};
const metrics = (step: number, values: Record<string, number>): LiveEvent => ({
  type: "metrics",
  metrics: { runId: "a", time: 1000 + step, step, values },
});

test("an event applied twice changes nothing, and none is lost that comes before its run", () => {
  const [once, twice] = [new RunData(["loss/train"]), new RunData(["loss/train"])];
  const events = [metrics(11, { "loss/train": 0.4 }), metrics(12, { "loss/train": 0.3 })];
  for (const event of events) once.apply(event);
  for (const event of [...events, ...events]) twice.apply(event);
  for (const data of [once, twice]) {
    data.setRun(run);
    expect([...data.series("a", "loss/train")!.values]).toEqual([0.4, 0.3]);
  }
});

test("metrics move the run on: its step and what was measured, the rest stays", () => {
  const data = new RunData(["loss/train"]);
  data.setRun(run);
  data.apply(metrics(20, { "loss/train": 0.2 }));
  expect(data.runs()[0]).toMatchObject({ step: 20, latest: { "loss/train": 0.2, sharpness: 60 } });
  data.apply(metrics(15, { "loss/train": 0.9 })); // late: stored, but no news
  expect(data.runs()[0]).toMatchObject({ step: 20, latest: { "loss/train": 0.2 } });
  expect([...data.series("a", "loss/train")!.steps]).toEqual([15, 20]);
});

test("an older summary does not turn the clock back", () => {
  const data = new RunData([]);
  data.setRun({ ...run, status: "finished", cursor: 9 });
  data.setRun(run);
  expect(data.runs()[0]!.status).toBe("finished");
});

test("only the metrics that are charted are kept, and a deleted run is gone", () => {
  const data = new RunData(["loss/train"]);
  data.setRun(run);
  data.apply(metrics(20, { "loss/train": 0.2, "speed/stepsPerSecond": 9 }));
  expect(data.series("a", "speed/stepsPerSecond")).toBeUndefined();
  data.apply({ type: "run-deleted", runId: "a" });
  expect(data.runs()).toEqual([]);
  expect(data.series("a", "loss/train")).toBeUndefined();
});

test("runs are in the order they started", () => {
  const data = new RunData([]);
  data.setRun({ ...run, id: "late", startedAt: 3000 });
  data.setRun({ ...run, id: "early", startedAt: 2000 });
  expect(data.runs().map(({ id }) => id)).toEqual(["early", "late"]);
});
