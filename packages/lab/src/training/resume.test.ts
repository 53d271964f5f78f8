import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../checkpoint/checkpoint.js";
import type { TrainConfigInput } from "../config/train-config.js";
import type { Dataset, Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { mlp } from "../models/mlp.js";
import type { RunEvent } from "../run/events.js";
import { memorySink } from "../run/sinks.js";
import { train, type TrainOptions } from "./train.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-resume-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const dataset: Dataset = {
  name: "noise",
  description: "standard normals",
  inputShape: [5],
  outputs: 3,
  train: noise(20, "train"),
  test: noise(7, "test"),
};
const base: TrainConfigInput = {
  data: { examples: 20 },
  model: { widths: [6] },
  learningRate: 0.05,
  momentum: 0.5,
  batchSize: 3,
  sampling: "epoch-shuffle",
  steps: 400,
  probes: { count: 7, examples: 6 },
};
const run = (options: TrainOptions, config: TrainConfigInput = base) => train(config, { dataset, ...options });

/** Every recorded number that is not a time, by step. Later records replace earlier ones of the same step. */
function recorded(events: readonly RunEvent[]): Map<number, Record<string, number>> {
  const records = new Map<number, Record<string, number>>();
  for (const event of events) {
    if (event.type !== "metrics") continue;
    const values = Object.entries(event.values).filter(([key]) => !/^(cost|speed)\//.test(key));
    records.set(event.step, Object.fromEntries(values));
  }
  return records;
}

describe("an interrupted run that is resumed", () => {
  // In the middle of a chunk, on a record, on a measurement, and after the last step.
  test.each([1, 17, 134, 203, 399])("from step %i on is the unbroken run, to the last bit", async (stopAt) => {
    const path = join(folder, `${stopAt}.safetensors`);
    const unbroken = memorySink();
    const expected = await run({ sinks: [unbroken] });

    const controller = new AbortController();
    const broken = memorySink();
    const first = await run({
      sinks: [broken],
      signal: controller.signal,
      checkpoint: { path },
      onProgress: ({ step }) => {
        if (step >= stopAt) controller.abort();
      },
    });
    expect(first.status).toBe("interrupted");
    const second = await run({ sinks: [broken], checkpoint: { path, resume: true } });

    expect(second).toMatchObject({ status: "finished", step: 400, runId: first.runId });
    expect(second.params).toEqual(expected.params);
    expect(recorded(broken.events)).toEqual(recorded(unbroken.events));
  });

  test("goes on even from a checkpoint that is older than what was recorded", async () => {
    const [path, older] = [join(folder, "newest.safetensors"), join(folder, "older.safetensors")];
    const unbroken = memorySink();
    const expected = await run({ sinks: [unbroken] });
    const controller = new AbortController();
    const broken = memorySink();
    await run({
      sinks: [broken],
      signal: controller.signal,
      checkpoint: { path, everySeconds: 0 },
      onProgress: ({ step }) => {
        if (step >= 100 && step < 150) copyFileSync(path, older);
        if (step >= 300) controller.abort();
      },
    });
    expect(loadCheckpoint(older).step).toBeLessThan(loadCheckpoint(path).step);
    const second = await run({ sinks: [broken], checkpoint: { path: older, resume: true } });
    expect(second.params).toEqual(expected.params);
    expect(recorded(broken.events)).toEqual(recorded(unbroken.events));
  });

  test("a finished run is finished again, without another step or record", async () => {
    const path = join(folder, "finished.safetensors");
    const first = await run({ checkpoint: { path } });
    const sink = memorySink();
    const second = await run({ sinks: [sink], checkpoint: { path, resume: true } });
    expect(second).toMatchObject({ status: "finished", params: first.params, latest: first.latest });
    expect(sink.events.map(({ type }) => type)).toEqual(["run-started", "run-finished"]);
  });
});

test("a checkpoint from before a key with a default existed is resumed", async () => {
  const path = join(folder, "older-keys.safetensors");
  const first = await run({ checkpoint: { path } });
  const { config, ...rest } = loadCheckpoint(path);
  const { parameterization, ...model } = config.model;
  expect(parameterization).toBe("standard");
  saveCheckpoint(path, { ...rest, config: { ...config, model: model as typeof config.model } });
  expect(await run({ checkpoint: { path, resume: true } })).toMatchObject({ status: "finished", params: first.params });
});

test("a checkpoint of another config or model is refused, naming what differs", async () => {
  const path = join(folder, "refused.safetensors");
  await run({ checkpoint: { path } });
  const resume = { checkpoint: { path, resume: true } };
  await expect(run(resume, { ...base, learningRate: 0.06 })).rejects.toThrow(
    /a checkpoint of another config: learningRate is 0.05 there, 0.06 here/,
  );
  const model = mlp({ inputs: 5, widths: [8], outputs: 3 });
  await expect(run({ ...resume, model })).rejects.toThrow('expected 40 numbers for "W1", got 30: of another model');
  await expect(run({ ...resume, model })).rejects.toBeInstanceOf(BadInput);
});

function noise(examples: number, name: string): Split {
  const random = createRandom(name);
  return {
    examples,
    inputs: Float32Array.from(random.normals(examples * 5)),
    targets: Float32Array.from(random.normals(examples * 3)),
  };
}
