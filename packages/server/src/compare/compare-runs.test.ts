import { expect, test } from "vitest";
import { metrics, runStarted, testStore } from "../testing/events.js";
import { compareRuns } from "./compare-runs.js";

function summaries() {
  const store = testStore();
  const data = { name: "mnist", examples: 1000 };
  store.append(runStarted("a", { config: { learningRate: 0.01, seed: 0, data, model: { widths: [128, 128] } } }));
  store.append(
    runStarted("b", { config: { learningRate: 0.03, seed: 0, data, model: { widths: [128] }, momentum: 0.9 } }),
  );
  store.append(metrics("a", 1, { loss: 0.5, sharpness: NaN }));
  store.append(metrics("b", 1, { loss: 0.25 }));
  return ["b", "a"].map((id) => store.run(id));
}

test("settings that differ are named by path, those that agree are left out", () => {
  expect(compareRuns(summaries())).toEqual({
    runs: ["b", "a"],
    config: [
      { path: "learningRate", values: [0.03, 0.01] },
      { path: "model.widths", values: [[128], [128, 128]] },
      { path: "momentum", values: [0.9, undefined] },
    ],
    metrics: [
      { key: "loss", values: [0.25, 0.5] },
      { key: "sharpness", values: [null, NaN] },
    ],
  });
});

test("a run does not differ from itself, and nothing does not differ from nothing", () => {
  const [run] = summaries();
  expect(compareRuns([run!, run!]).config).toEqual([]);
  expect(compareRuns([])).toEqual({ runs: [], config: [], metrics: [] });
});
