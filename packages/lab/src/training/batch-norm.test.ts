import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TrainConfigInput } from "../config/train-config.js";
import type { Dataset, Split } from "../data/dataset.js";
import { lossProbe } from "../probes/loss.js";
import { train, type TrainOptions } from "./train.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-batch-norm-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const side = 8;
const dataset: Dataset = {
  name: "stripes",
  description: "noise with bright rows or bright columns",
  inputShape: [side, side, 1],
  outputs: 2,
  train: stripes(24, "train"),
  test: stripes(12, "test"),
};
const config: TrainConfigInput = {
  data: { examples: 24, testExamples: 12 },
  model: { kind: "resnet", width: 4, norm: "batch" },
  loss: "cross-entropy",
  learningRate: 0.01,
  momentum: 0.9,
  batchSize: 8,
  steps: 150,
  probes: { count: 3, examples: 4 },
};
const run = (options: TrainOptions = {}) => train(config, { dataset, probes: [lossProbe()], ...options });

// Bright rows and bright columns are told apart by a single edge filter: 150 steps are plenty, if statistics are right.
test("a batch-normalised network learns, is measured with its running statistics, and resumes to the last bit", async () => {
  const whole = await run();
  expect(whole.status).toBe("finished");
  // Running statistics come with the weights, and have moved from 0 and 1.
  expect(whole.params["stem.norm.mean"]!.every((mean) => mean !== 0)).toBe(true);
  expect(whole.params["stem.norm.variance"]!.every((variance) => variance !== 1)).toBe(true);
  expect(whole.latest["accuracy/train"]!).toBeGreaterThan(0.9);
  expect(whole.latest["loss/batch"]!).toBeLessThan(0.4);

  const path = join(folder, "run.safetensors");
  const controller = new AbortController();
  const first = await run({
    checkpoint: { path },
    signal: controller.signal,
    onProgress: ({ step }) => {
      if (step >= 40) controller.abort();
    },
  });
  expect(first.status).toBe("interrupted");
  const second = await run({ checkpoint: { path, resume: true } });
  expect(second.params).toEqual(whole.params);
  expect(second.latest["loss/train"]).toBe(whole.latest["loss/train"]);
}, 240_000);

function stripes(examples: number, name: string): Split {
  const random = createRandom(name);
  const inputs = new Float32Array(examples * side * side);
  const targets = new Float32Array(examples * 2);
  for (let i = 0; i < examples; i++) {
    const columns = i % 2;
    targets[2 * i + columns] = 1;
    for (let r = 0; r < side; r++) {
      for (let c = 0; c < side; c++) {
        const bright = (columns === 1 ? c : r) % 2 === 0;
        inputs[(i * side + r) * side + c] = (bright ? 1 : -1) + 0.3 * random.normal();
      }
    }
  }
  return { examples, inputs, targets };
}
