import { expect, test } from "vitest";
import { parseTrainConfig, type TrainConfigInput } from "../config/train-config.js";
import { mlp } from "../models/mlp.js";
import { memorySink } from "../run/sinks.js";
import { train } from "../training/train.js";
import { probesOf } from "./by-name.js";
import { defaultProbeNames, probeNames } from "./names.js";
import { normalsDataset } from "./testing.js";

const dataset = normalsDataset({ seed: "probes", inputs: 5, outputs: 2, train: 16, test: 8 });
const model = mlp({ inputs: 5, widths: [6], outputs: 2 });
const base: TrainConfigInput = { data: { examples: 16 }, learningRate: 0.05, batchSize: 2, steps: 60 };
const run = (probes: TrainConfigInput["probes"], options: Parameters<typeof train>[1] = {}) =>
  train({ ...base, probes: { count: 4, examples: 8, ...probes } }, { dataset, model, ...options });

test.each(probeNames)("%s leaves training bit-identical, and records finite numbers", async (name) => {
  const sink = memorySink();
  const watched = await run({ measure: [name] }, { sinks: [sink] });
  const alone = await run({}, { probes: [] });
  expect(watched.params).toEqual(alone.params); // no tolerance: nothing may differ
  expect(watched.latest["loss/batch"]).toBe(alone.latest["loss/batch"]);
  expect(watched.warnings).toEqual([]);
  const recorded = Object.keys(watched.latest).filter((key) => !(key in alone.latest) && !key.startsWith("cost/"));
  expect(recorded.length).toBeGreaterThan(0);
  for (const key of recorded) expect([key, Number.isFinite(watched.latest[key])]).toEqual([key, true]);
});

test("a config names its probes, in any order and more than once; each is made once, in the order that they serve each other", () => {
  const config = parseTrainConfig({ ...base, probes: { measure: ["gradient", "sharpness", "gradient"], examples: 8 } });
  expect(probesOf(config).map(({ name }) => name)).toEqual(["sharpness", "gradient"]);
  const standard = parseTrainConfig({ ...base, probes: { examples: 8 } });
  expect(probesOf(standard).map(({ name }) => name)).toEqual([...defaultProbeNames]);
});

test("what does not exist is refused by name", () => {
  expect(() => parseTrainConfig({ ...base, probes: { measure: ["hessian" as "loss"] } })).toThrow(
    /probes\.measure\[?\.?0/,
  );
});

test("the gradient's alignment with the top eigenvector needs the sharpness beside it", async () => {
  const beside = await run({ measure: ["sharpness", "gradient"] });
  expect(beside.latest["gradient/topAlignment"]).toBeGreaterThan(0);
  expect(beside.latest["gradient/topAlignment"]).toBeLessThanOrEqual(1);
  const alone = await run({ measure: ["gradient"] });
  expect(alone.latest).not.toHaveProperty("gradient/topAlignment");
  expect(alone.latest["gradient/norm"]).toBe(beside.latest["gradient/norm"]);
});

test("distances: none before the first step; without momentum one step is η times the gradient long", async () => {
  const sink = memorySink();
  // The whole set is the minibatch, so that the gradient of the step is the one that is measured.
  await train(
    { ...base, batchSize: 16, sampling: "without-replacement", steps: 2, probes: { every: 1, examples: 8 } },
    { dataset, model, sinks: [sink] },
  );
  const records = sink.events.flatMap((event) => (event.type === "metrics" ? [event.values] : []));
  const [start, first] = records.filter((values) => "distance/initial" in values);
  expect(start!["distance/initial"]).toBe(0);
  expect(first!["distance/initial"]).toBe(first!["distance/step"]);
  // Weights are float32: each of the 56 is off by up to 6e-8, the step some 0.05 long.
  expect(first!["distance/step"]! / (0.05 * start!["gradient/norm"]!)).toBeCloseTo(1, 4);
});
