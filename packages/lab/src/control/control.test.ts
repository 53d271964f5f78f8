import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import { parseTrainConfig, type TrainConfigInput } from "../config/train-config.js";
import { mlp } from "../models/mlp.js";
import { memorySink } from "../run/sinks.js";
import { train } from "../training/train.js";
import type { ControlAction } from "./controller.js";
import { controlPlanOf } from "./open-control.js";
import { replay } from "./replay.js";

const quiet = { count: 2, examples: 8, measure: ["loss"] as const };
const base: TrainConfigInput = {
  ...{ learningRate: 0.1, batchSize: 1, steps: 1500, data: { examples: 300, testExamples: 100 } },
  probes: { ...quiet, measure: ["loss"] },
};
const actionsOf = ({ events }: ReturnType<typeof memorySink>) =>
  events.flatMap((event) =>
    event.type === "record" && event.kind === "control" ? [event.data as unknown as ControlAction] : [],
  );

test(
  "an MNIST run at ten times too large an η trains without a number being touched; its events replay",
  { timeout: 60_000 },
  async () => {
    const alone = await train(base);
    expect(alone.status === "diverged" || alone.latest["loss/train"]! > 0.4).toBe(true);

    const sink = memorySink();
    const input: TrainConfigInput = { ...base, control: { kind: "noise-kernel" } };
    const controlled = await train(input, { sinks: [sink] });
    expect(controlled.status).toBe("finished");
    expect(controlled.latest["accuracy/train"]).toBeGreaterThan(0.9);
    expect(controlled.latest["learningRate"]).toBeLessThan(0.1);

    const actions = actionsOf(sink);
    expect(actions[0]).toMatchObject({ action: "lower", before: { learningRate: 0.1 } });
    const plan = controlPlanOf(parseTrainConfig(input))!;
    for (const [i, action] of actions.entries()) {
      expect(replay(plan, action)).toEqual(action);
      // Each decision starts from what the one before left.
      if (i > 0) expect(action.before.learningRate).toBe(actions[i - 1]!.after.learningRate);
    }
  },
);

test.each<[string, TrainConfigInput]>([
  ["noise-kernel with a cosine schedule", { ...base, schedule: { kind: "cosine" }, control: { kind: "noise-kernel" } }],
  [
    "noise-kernel-batch, shuffled",
    { ...base, learningRate: 0.02, sampling: "epoch-shuffle", control: { kind: "noise-kernel-batch" } },
  ],
  ["adamw", { ...base, learningRate: 0.001, optimizer: { kind: "adamw" }, control: { kind: "noise-kernel" } }],
  ["warmup", { ...base, learningRate: 0.01, control: { kind: "warmup" } }],
])(
  "%s: a run that is interrupted and resumed is the unbroken one, to the last bit",
  { timeout: 60_000 },
  async (_, config) => {
    const folder = mkdtempSync(join(tmpdir(), "sedge-control-"));
    try {
      const short: TrainConfigInput = {
        ...config,
        steps: 300,
        data: { examples: 60, testExamples: 20 },
        control: { ...config.control, every: 40, examples: 8 },
      };
      const [unbroken, broken] = [memorySink(), memorySink()];
      const expected = await train(short, { sinks: [unbroken] });
      const path = join(folder, "run.safetensors");
      const stop = new AbortController();
      await train(short, {
        ...{ sinks: [broken], signal: stop.signal, checkpoint: { path } },
        onProgress: ({ step }) => {
          if (step >= 130) stop.abort();
        },
      });
      const resumed = await train(short, { sinks: [broken], checkpoint: { path, resume: true } });
      expect(resumed.params).toEqual(expected.params);
      expect(resumed.latest["batchSize"]).toBe(expected.latest["batchSize"]);
      expect(actionsOf(broken)).toEqual(actionsOf(unbroken));
      if (config.control!.kind === "noise-kernel-batch") expect(resumed.latest["batchSize"]).toBeGreaterThan(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("a loss that blows up between two decisions takes the weights back", { timeout: 60_000 }, async () => {
  // The controller's own probe of 4 misses the few examples that are a hundred times as large, so that it raises η past what they bear.
  const [examples, inputs] = [200, 5];
  const random = createRandom("outliers");
  const scale = (i: number) => (i % 50 === 7 ? 10 : 0.1);
  const split = {
    examples,
    inputs: Float32Array.from(random.normals(examples * inputs), (x, at) => x * scale(Math.floor(at / inputs))),
    targets: Float32Array.from(random.normals(examples * 2)),
  };
  const dataset = { name: "outliers", description: "", inputShape: [inputs], outputs: 2, train: split, test: split };
  const sink = memorySink();
  const result = await train(
    {
      ...{ learningRate: 0.01, batchSize: 1, steps: 2000, data: { examples }, probes: { ...quiet, measure: ["loss"] } },
      control: { kind: "noise-kernel", examples: 4, every: 100, rise: 10 },
    },
    { dataset, model: mlp({ inputs, widths: [8], outputs: 2 }), sinks: [sink] },
  );
  expect(result.status).toBe("finished");
  const rewinds = actionsOf(sink).filter(({ action }) => action === "rewind");
  expect(rewinds.length).toBeGreaterThan(0);
  for (const { input, rewoundTo, before, after } of rewinds) {
    expect(rewoundTo).toBeLessThan(input.step);
    expect(after.learningRate).toBe(before.learningRate / 2);
  }
  expect(Number.isFinite(result.latest["loss/train"])).toBe(true);
});

test("settings that do not fit are refused by name", () => {
  const refused =
    (control: object, rest: object = {}) =>
    () =>
      parseTrainConfig({ ...base, ...rest, control });
  expect(refused({ kind: "noise-kernel", examples: 400 })).toThrow(
    "control.examples: expected at most data.examples = 300, got 400",
  );
  expect(refused({ kind: "noise-kernel", maximumLearningRate: 0.01 })).toThrow("control.maximumLearningRate");
  expect(refused({ kind: "sharpness" }, { optimizer: { kind: "adam" } })).toThrow(
    "control.kind: expected sharpness only with optimizer.kind sgd",
  );
});
