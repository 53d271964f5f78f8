import { expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { metricRows, settingRows, smallest } from "./differences.js";

const run = (config: RunSummary["config"], latest: Record<string, number> = {}) => ({ config, latest }) as RunSummary;

test("settings are compared by path, lists as a whole, and one that a run lacks is a difference", () => {
  const rows = settingRows([
    run({ learningRate: 0.1, model: { widths: [8, 8], activation: "tanh" } }),
    run({ learningRate: 0.1, model: { widths: [8, 16], activation: "tanh" }, seed: 3 }),
  ]);
  expect(rows).toEqual([
    { name: "learningRate", values: [0.1, 0.1], differs: false },
    { name: "model.activation", values: ["tanh", "tanh"], differs: false },
    {
      name: "model.widths",
      values: [
        [8, 8],
        [8, 16],
      ],
      differs: true,
    },
    { name: "seed", values: [undefined, 3], differs: true },
  ]);
});

test("metrics are compared by their last values; errors are no rows of their own", () => {
  const rows = metricRows([
    run({}, { "noiseKernel/exact": 1, "noiseKernel/exact/standardError": 0.1, sharpness: NaN }),
    run({}, { "noiseKernel/exact": Infinity, sharpness: NaN }),
  ]);
  expect(rows.map(({ name, differs }) => [name, differs])).toEqual([
    ["noiseKernel/exact", true],
    ["sharpness", false],
  ]);
});

test("the smallest is told only where there is one", () => {
  expect([smallest([3, 1, 2]), smallest([1, 1]), smallest([NaN, 1]), smallest([Infinity, 2, 1])]).toEqual([
    1, -1, -1, 2,
  ]);
});
