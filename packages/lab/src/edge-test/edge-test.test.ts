import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eigvalsh, multiply } from "@sedge/linalg";
import { criticalLearningRate, linearSystem } from "@sedge/theory";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCheckpoint } from "../checkpoint/checkpoint.js";
import type { TrainConfigInput } from "../config/train-config.js";
import { openDataset } from "../data/open-dataset.js";
import { parseTrainConfig } from "../config/train-config.js";
import { train } from "../training/train.js";
import { edgeTest } from "./edge-test.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-edge-"))));
afterAll(() => rmSync(folder, { recursive: true }));

async function checkpointOf(name: string, config: TrainConfigInput) {
  const path = join(folder, `${name}.safetensors`);
  await train(config, { checkpoint: { path } });
  return loadCheckpoint(path);
}

/** Θ of one output of a linear model with a bias: (X Xᵀ + 1)/N. With more of them it repeats. */
async function linearKernel(config: TrainConfigInput): Promise<Float64Array> {
  const { train: split } = await openDataset(parseTrainConfig(config).data);
  const n = split.examples;
  const x = Float64Array.from(split.inputs);
  const ntk = multiply(x, x, { rows: n, inner: x.length / n, columns: n, transposeB: true });
  return ntk.map((entry) => (entry + 1) / n);
}

const linear: TrainConfigInput = {
  ...{ learningRate: 2e-4, steps: 16, model: { widths: [] }, data: { examples: 24, testExamples: 8 } },
  sampling: "without-replacement",
  batchSize: 24,
  probes: { count: 2, examples: 4, measure: ["loss"] },
};

// B = N: the loss grows from η = 2/λ_max on, by (ηλ_max − 1)² a step: 2 % beyond by 1.04 a step, a doubling in twenty steps
// once that mode is what is left of the loss. Four halvings of a factor of 2 find η to 4.4 %, of which half is either way.
test("a linear model without noise blows up from 2/λ_max on", { timeout: 30_000 }, async () => {
  const checkpoint = await checkpointOf("full", linear);
  const { measured, predicted } = await edgeTest({ checkpoint, seeds: 2, steps: 800, examples: 24, halvings: 4 });
  const edge = 2 / eigvalsh(await linearKernel(linear), 24).at(-1)!;
  expect(Math.abs(measured.value / edge - 1)).toBeLessThan(0.045);
  expect(Math.abs(predicted["λ_max"] / edge - 1)).toBeLessThan(1e-3);
  // Θ is of float32 sums over 785 inputs: √785·6e-8 = 2e-6.
  expect(Math.abs(predicted["K exact"] / edge - 1)).toBeLessThan(1e-5);
});

// B = 2: the mean loss grows from K = 1 on. A single course of it does so a little later, and only for so long as it is
// watched: never much before, and well before λ_max says so.
test(
  "a linear model with noise blows up where K exact is 1, and η is to be halved where B is",
  { timeout: 30_000 },
  async () => {
    const checkpoint = await checkpointOf("noisy", { ...linear, batchSize: 2 });
    const ntk = await linearKernel(linear);
    const system = linearSystem({ ntk, examples: 24 });
    for (const batchSize of [1, 2, 4]) {
      const found = await edgeTest({ checkpoint, batchSize, seeds: 3, steps: 800, examples: 24, halvings: 3 });
      const edge = criticalLearningRate(system, { batchSize, sampling: "without-replacement" }).value;
      expect(Math.abs(found.predicted["K exact"] / edge - 1)).toBeLessThan(1e-3);
      expect(found.measured.value / edge).toBeGreaterThan(0.9);
      expect(found.measured.value / edge).toBeLessThan(1.5);
      expect(found.predicted["λ_max"] / found.measured.value).toBeGreaterThan(1.2);
    }
  },
);

test(
  "a small network at B = 1: K exact is nearer than λ_max; parts that are done are not done again",
  { timeout: 30_000 },
  async () => {
    const checkpoint = await checkpointOf("network", {
      ...{ learningRate: 0.02, batchSize: 1, steps: 1500, model: { widths: [32] } },
      data: { examples: 200, testExamples: 8 },
      probes: { count: 2, examples: 4, measure: ["loss"] },
    });
    const kept = new Map<string, unknown>();
    const parts = {
      read: (name: string) => kept.get(name),
      write: (name: string, value: unknown) => void kept.set(name, value),
    };
    const options = { checkpoint, seeds: 2, steps: 400, halvings: 3, parts };
    const first = await edgeTest(options);
    const distance = (predictor: "K exact" | "λ_max") =>
      Math.abs(Math.log(first.predicted[predictor] / first.measured.value));
    expect(distance("K exact")).toBeLessThan(distance("λ_max"));
    expect(kept.size).toBe(3); // predictions, two seeds
    for (const [name, value] of kept) if (typeof value === "number") kept.set(name, 7);
    expect((await edgeTest(options)).bySeed).toEqual([7, 7]);
  },
);
