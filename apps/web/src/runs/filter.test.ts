import { expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { filtersByTag, matchesFilter, toggledTag } from "./filter.js";

const run: RunSummary = {
  id: "0k3a",
  name: "MNIST fcn η = 0.01",
  status: "finished",
  startedAt: 0,
  finishedAt: null,
  step: 1,
  steps: 1,
  config: { learningRate: 0.01, batchSize: 8 },
  model: { paramCount: 1, description: "" },
  message: null,
  tags: ["Base line", "sweep:grid_1"],
  latest: {},
  cursor: 1,
  verdict: null,
};

test.each([
  ["", true],
  ["mnist", true],
  ["finish FCN", true],
  ["mnist diverged", false],
  ["η=0.01", true],
  ["lr=1e-2 b=8", true],
  ["B=16", false],
  ["0k3", true],
  ["k3a", false],
  ["tag:base_line", true],
  ["tag:base", false],
  ["tag:Sweep:grid_1", true],
  ["line", true],
])("%j: %s", (filter, matches) => {
  expect(matchesFilter(run, filter)).toBe(matches);
});

test("a tag is wanted, then no longer, and the other words stay", () => {
  const wanted = toggledTag("mnist  η=0.01", "Base line");
  expect(wanted).toBe("mnist η=0.01 tag:base_line");
  expect(matchesFilter(run, wanted)).toBe(true);
  expect([filtersByTag(wanted, "base line"), filtersByTag("mnist", "base line")]).toEqual([true, false]);
  expect(toggledTag(wanted, "Base line")).toBe("mnist η=0.01");
});
