import { expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { matchesFilter } from "./filter.js";

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
])("%j: %s", (filter, matches) => {
  expect(matchesFilter(run, filter)).toBe(matches);
});
