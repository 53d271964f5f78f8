/**
 * Four runs at once: which learning rate is too large for a batch of one? All of them share a graph; called again in the same
 * folder, a sweep skips what has ended.
 *
 *     node examples/sweep.mjs
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSweepConfig, runSweep } from "@sedge/lab";

const config = parseSweepConfig({
  name: "rates",
  base: {
    ...{ batchSize: 1, steps: 2000, data: { examples: 200, testExamples: 100 } },
    ...{ model: { widths: [32] }, probes: { count: 3, examples: 16 } },
  },
  grid: { learningRate: [0.001, 0.01, 0.03, 1] },
  workers: 1,
});

const folder = mkdtempSync(join(tmpdir(), "sedge-example-"));
const { runs } = await runSweep(config, { folder });
for (const { config, status, latest } of runs) {
  const measured = `loss ${latest["loss/train"]?.toPrecision(2)}, K = ${latest["noiseKernel/exact"]?.toFixed(2)}`;
  console.log(`η = ${config.learningRate}: ${status}, ${measured}`);
}
rmSync(folder, { recursive: true });
