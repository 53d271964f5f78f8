import { expect, test } from "vitest";
import { noParts } from "../parts.js";
import { spreadAlong } from "./collapse.js";
import { rankCorrelation } from "./rank-correlation.js";
import { lastOf, pointsOf, runGrid, type GridRun } from "./run-grid.js";

// Spearman’s closed form without ties: 1 − 6 Σd²/(n(n² − 1)), here with Σd² = 4.
test("the rank correlation is Spearman's", () => {
  expect(rankCorrelation([1, 2, 3, 4, 5], [20, 10, 30, 50, 41])).toBeCloseTo(0.8, 14);
  expect(rankCorrelation([1, 2, 3], [1, 10, Infinity])).toBeCloseTo(1, 14);
  expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 14);
  // Ties share a rank: (0, 1.5, 1.5, 3) with (0, 1, 2, 3): 4.5/√(4.5 · 5).
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 14);
  expect(rankCorrelation([1, 2], [1, 2])).toBeNaN();
});

test("the spread is the geometric mean of the ratios within groups", () => {
  const at = (along: number, value: number) => ({ along, value });
  expect(spreadAlong([at(1, 2), at(1, 4), at(2, 3), at(2, 24), at(3, 7)])).toBeCloseTo(4, 12); // √(2 · 8)
  expect(spreadAlong([at(1, 2), at(2, 3)])).toBeNaN();
});

test("runs of a grid come back in order, with what was measured and nothing of the machine; an abort is no result", async () => {
  const run = (learningRate: number): GridRun => ({
    label: `η = ${learningRate}`,
    config: {
      ...{ learningRate, batchSize: 4, steps: 20, data: { examples: 16, testExamples: 4 }, model: { widths: [4] } },
      probes: { count: 2, examples: 4, measure: ["loss"] },
    },
  });
  const context = { parts: noParts, onProgress: () => undefined };
  const [one, two] = await runGrid("test", [run(0.01), run(0.02)], context);
  expect([one!.learningRate, two!.learningRate, one!.status]).toEqual([0.01, 0.02, "finished"]);
  expect(pointsOf(one!, "loss/train").map(([step]) => step)).toEqual([0, 20]);
  expect(lastOf(one!, "loss/train")).not.toBe(lastOf(two!, "loss/train"));
  expect(Object.keys(one!.series).filter((key) => /^(cost|speed)\//.test(key))).toEqual([]);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(runGrid("test", [run(0.01)], { ...context, signal })).rejects.toThrow("enough");
});
