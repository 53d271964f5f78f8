import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { parseTrainConfig, type TrainConfig, type TrainConfigInput } from "../../config/train-config.js";
import type { Dataset, Split } from "../../data/dataset.js";
import { modelFromConfig } from "../../models/model-from-config.js";
import type { Params } from "../../models/model.js";
import { memorySink } from "../../run/sinks.js";
import { train, type TrainResult } from "../../training/train.js";
import { blockSpan, stackKey } from "./stackable.js";
import { trainTogether } from "./train-together.js";

const dataset: Dataset = {
  name: "normals",
  description: "standard normals",
  inputShape: [160],
  outputs: 3,
  train: normals(40, "train"),
  test: normals(8, "test"),
};

function config(own: Partial<TrainConfigInput> = {}): TrainConfig {
  return parseTrainConfig({
    data: { examples: 40 },
    model: { widths: [12, 9] },
    learningRate: 0.02,
    batchSize: 1,
    steps: 203,
    probes: { count: 2, examples: 8, measure: ["loss", "sharpness"] },
    ...own,
  });
}
const alone = (one: TrainConfig, options: Parameters<typeof train>[1] = {}) =>
  train(one, { dataset, model: modelFromConfig(one.model, dataset, "sgd"), ...options });
const valueOf = (settled: PromiseSettledResult<TrainResult>): TrainResult => {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
};

/** ‖a − b‖ / ‖b‖ over all parameters. */
function relativeDistance(a: Params, b: Params): number {
  let [difference, size] = [0, 0];
  for (const name of Object.keys(b)) {
    for (let i = 0; i < b[name]!.length; i++) {
      difference += (a[name]![i]! - b[name]![i]!) ** 2;
      size += b[name]![i]! ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

/** What was measured by step, times and speeds left out. */
function measured(sink: ReturnType<typeof memorySink>): Map<number, Record<string, number>> {
  const records = new Map<number, Record<string, number>>();
  for (const event of sink.events) {
    if (event.type !== "metrics") continue;
    const kept = Object.entries(event.values).filter(([key]) => !/^(cost|speed)\//.test(key));
    records.set(event.step, Object.fromEntries(kept));
  }
  return records;
}

// The same float32 sums in another order. A product of 160 terms has an error of about √160·2⁻²⁴ = 8e-7 of its size in
// either order, and a step moves the weights by ηδx, which is small beside them; over 203 steps of a stable run (the
// loss falls, so no error grows) such errors add up like a random walk, √203·8e-7·(share moved ≈ 0.1) ≈ 1e-6. 1e-5 leaves
// a factor of ten, and a wrong minibatch, learning rate or seed is off by 1e-2 or more. A loss is quadratic in outputs that
// depend on every layer: ten times as far apart, relative to its size.
const tolerance = 1e-5;

describe("runs trained together", () => {
  const families: [string, TrainConfig[]][] = [
    [
      "seeds and learning rates, in blocks",
      [0, 1].flatMap((seed) => [0.005, 0.02].map((learningRate) => config({ seed, learningRate }))),
    ],
    ["batches of 4, in blocks of 8 steps", [0.01, 0.03].map((learningRate) => config({ batchSize: 4, learningRate }))],
    [
      "batches of 16, step by step",
      [0.01, 0.05].map((learningRate) => config({ batchSize: 16, learningRate, sampling: "epoch-shuffle" })),
    ],
    [
      "momenta and decays of their own",
      [0, 0.5, 0.9].map((momentum) => config({ momentum, weightDecay: momentum / 100, learningRate: 0.004 })),
    ],
    [
      "schedules",
      [{ kind: "cosine" as const }, { kind: "linear" as const, warmup: 50 }].map((schedule) => config({ schedule })),
    ],
    [
      "cross-entropy, gelu, NTK parameterisation",
      [0, 1].map((seed) =>
        config({
          seed,
          loss: "cross-entropy",
          labelSmoothing: 0.1,
          model: { widths: [8], activation: "gelu", parameterization: "ntk" },
        }),
      ),
    ],
    [
      "mean-squared loss, μP, no hidden layer",
      [0, 1].map((seed) => config({ seed, loss: "mean-squared", model: { widths: [], parameterization: "mup" } })),
    ],
    ["steps of their own beside one that diverges", [0.02, 40].map((learningRate) => config({ learningRate }))],
  ];
  test.each(families)("equal runs alone in weights, steps, metrics and status: %s", async (_, configs) => {
    const sinks = configs.map(() => memorySink());
    const together = await trainTogether(
      configs.map((one, i) => ({ config: one, options: { sinks: [sinks[i]!] } })),
      dataset,
    );
    for (const [i, one] of configs.entries()) {
      const sink = memorySink();
      const expected = await alone(one, { sinks: [sink] });
      const result = valueOf(together[i]!);
      expect({ status: result.status, warnings: result.warnings }).toEqual({ status: expected.status, warnings: [] });
      if (expected.status === "diverged") {
        expect(Math.abs(result.step - expected.step)).toBeLessThanOrEqual(1);
        continue;
      }
      expect(relativeDistance(result.params, expected.params)).toBeLessThan(tolerance);
      const [ours, theirs] = [measured(sinks[i]!), measured(sink)];
      expect([...ours.keys()]).toEqual([...theirs.keys()]);
      for (const [step, values] of theirs) {
        expect(Object.keys(ours.get(step)!)).toEqual(Object.keys(values));
        for (const key of ["loss/batch", "loss/train", "learningRate"]) {
          if (key in values) expect(Math.abs(ours.get(step)![key]! / values[key]! - 1)).toBeLessThan(10 * tolerance);
        }
      }
    }
  });

  test("give the same bits whatever the calls and the company, also from a checkpoint", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sedge-together-"));
    try {
      const configs = [
        config({ steps: 3000, probes: { count: 2, examples: 8 } }),
        config({ steps: 3000, seed: 5, probes: { count: 2, examples: 8 } }),
      ];
      const [whole] = (
        await trainTogether(
          configs.map((one) => ({ config: one })),
          dataset,
        )
      ).map(valueOf);
      const controller = new AbortController();
      const path = join(folder, "first.safetensors");
      const [cut] = (
        await trainTogether(
          [
            {
              config: configs[0]!,
              options: {
                runId: "a",
                checkpoint: { path },
                signal: controller.signal,
                onProgress: ({ step }) => step > 700 && controller.abort(),
              },
            },
            { config: configs[1]! },
          ],
          dataset,
        )
      ).map(valueOf);
      expect(cut!.status).toBe("interrupted");
      const [resumed] = (
        await trainTogether(
          [{ config: configs[0]!, options: { runId: "a", checkpoint: { path, resume: true } } }],
          dataset,
        )
      ).map(valueOf);
      expect(resumed!.status).toBe("finished");
      expect(resumed!.params).toEqual(whole!.params); // no tolerance: nothing may differ
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("that cannot begin leave the others to train", async () => {
    const taken: NonNullable<Parameters<typeof train>[1]>["sinks"] = [
      {
        write: () => {
          throw new Error("the disk is full");
        },
      },
    ];
    const [bad, good] = await trainTogether(
      [{ config: config(), options: { sinks: taken } }, { config: config({ seed: 1 }) }],
      dataset,
    );
    expect(bad).toMatchObject({ status: "rejected", reason: { message: "the disk is full" } });
    expect(valueOf(good!).status).toBe("finished");
  });
});

test("which runs share a graph", () => {
  const key = stackKey(config());
  expect(stackKey(config({ seed: 3, learningRate: 1, momentum: 0.5, name: "x" }))).toBe(key);
  for (const other of [
    config({ batchSize: 2 }),
    config({ steps: 9 }),
    config({ model: { widths: [12] } }),
    config({ loss: "mean-squared" }),
  ]) {
    expect(stackKey(other)).not.toBe(key);
  }
  for (const lone of [
    config({ optimizer: { kind: "adam" } }),
    config({ clipNorm: 1 }),
    config({ batchSize: 4, accumulate: 2 }),
  ]) {
    expect(stackKey(lone)).toBeUndefined();
  }
  expect([
    blockSpan(config(), 784),
    blockSpan(config({ batchSize: 8 }), 784),
    blockSpan(config({ batchSize: 16 }), 784),
    blockSpan(config({ momentum: 0.1 }), 784),
    blockSpan(config(), 20),
  ]).toEqual([32, 4, 1, 1, 1]);
});

function normals(examples: number, name: string): Split {
  const random = createRandom("together").fork(name);
  return {
    examples,
    inputs: Float32Array.from(random.normals(examples * 160)),
    targets: Float32Array.from(random.normals(examples * 3)),
  };
}
