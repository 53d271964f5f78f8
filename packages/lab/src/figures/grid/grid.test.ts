import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySink } from "../../run/sinks.js";
import { runSweep, type SweptRun } from "../../sweep/run-sweep.js";
import { localScheduler } from "../../sweep/scheduler/local.js";
import { train } from "../../training/train.js";
import type { FigureContext } from "../figure.js";
import { spreadAlong } from "./collapse.js";
import { rankCorrelation } from "./rank-correlation.js";
import { lastOf, measure, pointsOf, runGrid } from "./run-grid.js";

// Worker processes run the built program: `npx tsc -b packages/lab` comes before this test.

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

/** Two runs so small that a worker process takes a second for both. */
const tiny = {
  name: "tiny",
  base: {
    ...{ batchSize: 4, steps: 20, data: { examples: 16, testExamples: 4 }, model: { widths: [4] } },
    probes: { count: 2, examples: 4, measure },
  },
  grid: { learningRate: [0.01, 0.02] },
};
const ignore = { onProgress: () => undefined };

test("runs come back in order with the numbers of a run by itself, to the last bit, and are not trained again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sedge-grid-"));
  try {
    const workers: string[] = [];
    const sweep: FigureContext["sweep"] = (plan) =>
      runSweep(plan, {
        folder,
        scheduler: localScheduler({ workers: 1 }),
        onTask: ({ type, task }) => workers.push(`${type} ${task}`),
      });
    const results = await runGrid(tiny, { ...ignore, sweep });
    expect(results.map(({ learningRate, status }) => [learningRate, status])).toEqual([
      [0.01, "finished"],
      [0.02, "finished"],
    ]);
    const sink = memorySink();
    await train(
      { ...tiny.base, probes: { ...tiny.base.probes, measure: [...measure] }, learningRate: 0.02 },
      { sinks: [sink] },
    );
    for (const event of sink.events) {
      if (event.type !== "metrics") continue;
      for (const [key, value] of Object.entries(event.values)) {
        if (/^(cost|speed)\//.test(key)) expect(results[1]!.series[key]).toBeUndefined();
        else expect(new Map(pointsOf(results[1]!, key)).get(event.step), key).toBe(value);
      }
    }
    const trained = workers.length;
    expect(await runGrid(tiny, { ...ignore, sweep })).toEqual(results);
    expect(workers).toHaveLength(trained);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a run that failed, one that lacks a measurement and an abort are no result", async () => {
  const series = (kernel: number) => ({
    "loss/train": { steps: [0, 20], values: [1, 0.5] },
    sharpness: { steps: [0, 20], values: [10, 9] },
    "noiseKernel/exact": { steps: [0, 20].slice(0, kernel), values: [0.5, 0.4].slice(0, kernel) },
  });
  const swept =
    (status: SweptRun["status"], kernel = 2): FigureContext["sweep"] =>
    (plan) => {
      const rest = { status, step: 20, message: "out of memory", latest: {}, series: () => series(kernel) };
      return Promise.resolve({
        name: plan.name,
        status: "finished",
        runs: plan.runs.map((run) => ({ ...run, ...rest })),
      });
    };
  expect(
    (await runGrid(tiny, { ...ignore, sweep: swept("finished") })).map((run) => lastOf(run, "sharpness", 2)),
  ).toEqual([9.5, 9.5]);
  await expect(runGrid(tiny, { ...ignore, sweep: swept("failed") })).rejects.toThrow("η = 0.01: failed: out of memory");
  await expect(runGrid(tiny, { ...ignore, sweep: swept("finished", 1) })).rejects.toThrow(
    "η = 0.01: noiseKernel/exact was measured 1 times of 2: out of memory",
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(runGrid(tiny, { ...ignore, sweep: swept("interrupted"), signal })).rejects.toThrow("enough");
});
