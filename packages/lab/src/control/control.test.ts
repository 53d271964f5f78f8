import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseTrainConfig, type TrainConfigInput } from "../config/train-config.js";
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
  const sink = memorySink();
  // The first decision alone comes before the steps; η may not fall below what it starts at but for a rewind.
  const result = await train(
    {
      ...base,
      learningRate: 5,
      steps: 400,
      control: { kind: "noise-kernel-batch", deterministicCap: 1, every: 200, maximumBatchSize: 1 },
    },
    { sinks: [sink] },
  );
  expect(result.status).toBe("finished");
  expect(result.latest["loss/train"]).toBeLessThan(1);
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
