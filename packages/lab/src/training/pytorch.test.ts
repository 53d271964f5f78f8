import { readFileSync } from "node:fs";
import { compile, tensor, trainingLoop, updateState } from "@sedge/autodiff";
import { expect, test } from "vitest";
import type { Split } from "../data/dataset.js";
import { cnn } from "../models/cnn.js";
import { mlp } from "../models/mlp.js";
import { sizeOf, type Model, type ParamSpec } from "../models/model.js";
import { resnet } from "../models/resnet.js";
import { vit } from "../models/vit.js";
import { trainingObjective, type Loss } from "../objectives/objective.js";
import { updateRule, optimizerOf } from "./optimizer.js";
import { learningRateAt } from "./schedule.js";
import { openTrainer } from "./trainer.js";

/** A training run of PyTorch, in float64: docs/lab/pytorch-training.py. */
interface Recorded {
  readonly model: string;
  readonly optimizer: string;
  readonly loss: Loss | "smoothed";
  readonly schedule?: "cosine" | "step";
  readonly clip?: number;
  readonly accumulate?: number;
  /** Minibatch losses at steps 0, 10, … 190 and 199. */
  readonly losses: number[];
  /** Euclidean norms of all parameters and running statistics after the last step. */
  readonly norms: Record<string, number>;
  /** How far PyTorch's own float32 run is from these numbers, relative, at worst. */
  readonly strayed: number;
}

const { runs } = JSON.parse(readFileSync(new URL("../fixtures/pytorch-training.json", import.meta.url), "utf8")) as {
  runs: Recorded[];
};

const [steps, examples, batchSize, classes] = [200, 32, 4, 3];

/** The script's generator: numbers between −½ and ½ that float32 holds exactly. */
function stream(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
}

function models(side: number): Record<string, () => Model> {
  const shape = { inputShape: [side, side, 3], outputs: classes };
  const residual = { ...shape, width: 4, groups: 2 };
  return {
    mlp: () => mlp({ inputs: sizeOf(shape.inputShape), widths: [6, 5], outputs: classes }),
    cnn: () => cnn({ ...shape, widths: [4, 6] }),
    "resnet18-group": () => resnet({ ...residual, depth: 18 }),
    "resnet18-batch": () => resnet({ ...residual, depth: 18, norm: "batch" }),
    "resnet34-none": () => resnet({ ...residual, depth: 34, norm: "none" }),
    "resnet50-imagenet": () => resnet({ ...residual, depth: 50, stem: "imagenet" }),
    vit: () => vit({ ...shape, patch: 4, width: 12, depth: 2, heads: 2 }),
  };
}

const optimizers: Record<string, Parameters<typeof optimizerOf>[0] & { learningRate: number }> = {
  sgd: { learningRate: 0.02, momentum: 0, weightDecay: 0.01 },
  "heavy-ball": { learningRate: 0.005, momentum: 0.9, weightDecay: 0.01 },
  nesterov: { learningRate: 0.005, momentum: 0.9, weightDecay: 0, optimizer: { kind: "sgd", nesterov: true } },
  adam: { learningRate: 0.001, momentum: 0, weightDecay: 0.01, optimizer: { kind: "adam", epsilon: 1e-4 } },
  adamw: {
    learningRate: 0.001,
    momentum: 0,
    weightDecay: 0.1,
    optimizer: { kind: "adamw", beta1: 0.8, beta2: 0.95, epsilon: 1e-4 },
  },
  rmsprop: { learningRate: 0.0005, momentum: 0.5, weightDecay: 0, optimizer: { kind: "rmsprop", epsilon: 1e-2 } },
};

/** Small steps for deep networks, as in the script. */
const paces: Record<string, number> = {
  "resnet18-group": 0.1,
  "resnet18-batch": 0.1,
  "resnet34-none": 0.1,
  "resnet50-imagenet": 0.002,
};

const schedules = {
  cosine: { kind: "cosine", warmup: 0 },
  step: { kind: "step", warmup: 0, every: 50, factor: 0.5 },
} as const;

const isResidual = ({ model }: Recorded) => model.startsWith("resnet");
const titles = "$model, $optimizer, $loss, schedule $schedule, clip $clip, accumulate $accumulate";

// Rounding is amplified along a trajectory alike by every program that is right, but not by the same factor: some order
// sums luckily. Thirty times PyTorch's own distance from the truth, and never less than 1e-5, a hundred and fifty
// roundings; a wrong constant anywhere shows as 1e-3 and more.
test.each(runs.filter((run) => !isResidual(run)))(`${titles}: 200 steps in float32`, async (recorded) => {
  expect(recorded.strayed).toBeLessThan(3e-5);
  const setting = settingOf(recorded);
  const trainer = await openTrainer({
    ...setting,
    minibatches: {
      next: () => setting.indices,
      state: () => {
        throw new Error("not asked for");
      },
      restore: () => undefined,
    },
    clipNorm: recorded.clip,
    accumulate: recorded.accumulate,
  });
  const { losses } = await trainer.advance(steps);
  compare(recorded, losses, trainer.params, Math.max(30 * recorded.strayed, 1e-5));
  await trainer.dispose();
});

// ReLU networks with narrow normalised layers amplify rounding a million times and more, so that PyTorch's own float32
// runs lose half their digits, once all. In float64 the same graph follows it to 1e-6; where float32 lost more than a
// tenth, to a 1e-5 of that: float64 rounds a 2e-9 as much, sums in another order, and a ReLU that flips adds to it.
test.each(runs.filter(isResidual))(`${titles}: 200 steps in float64`, { timeout: 240_000 }, async (recorded) => {
  const { objective, specs, statistics, params, split, indices, learningRate, update } = settingOf(recorded);
  const tolerance = Math.max(1e-6, 1e-5 * recorded.strayed);
  const parts = recorded.accumulate ?? 1;
  const names = specs.map(({ name }) => name);
  const follow = statistics.map(({ name }) => [name, { output: `batch/${name}`, share: 0.1 }] as const);
  const loop = trainingLoop(objective, {
    loss: "loss",
    params: names,
    data: ["x", "y"],
    update,
    parts,
    follow: Object.fromEntries(follow),
  });
  const memory = Object.entries(updateState(loop, names)).map(([name, shape]) => [
    name,
    new Float64Array(sizeOf(shape as number[])),
  ]);
  const perStep = (value: (step: number) => number) => Float64Array.from({ length: steps }, (_, t) => value(t));
  const session = await compile(loop, { precision: "float64" });
  const { loss, ...after } = await session.run({
    ...params,
    ...(Object.fromEntries(memory) as Record<string, Float64Array>),
    x: split.inputs,
    y: split.targets,
    indices: tensor(indices, parts === 1 ? [steps, batchSize] : [steps, parts, batchSize / parts], "int64"),
    learningRate: perStep(learningRate),
    ...Object.fromEntries(Object.entries(update.perStep ?? {}).map(([name, value]) => [name, perStep(value)])),
  });
  await session.dispose();
  const values = [...names, ...statistics.map(({ name }) => name)].map((name) => [name, after[name]!.data] as const);
  compare(recorded, loss!.data as Float64Array, Object.fromEntries(values) as Record<string, Float64Array>, tolerance);
});

function compare(
  recorded: Recorded,
  losses: ArrayLike<number>,
  after: Readonly<Record<string, Iterable<number>>>,
  tolerance: number,
): void {
  const distance = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(b), 1e-2);
  recorded.losses.forEach((loss, i) => {
    const step = Math.min(10 * i, steps - 1);
    expect(distance(losses[step]!, loss), `loss at step ${step}`).toBeLessThan(tolerance);
  });
  expect(Object.keys(after).sort()).toEqual(Object.keys(recorded.norms).sort());
  for (const [name, norm] of Object.entries(recorded.norms)) {
    expect(distance(Math.hypot(...after[name]!), norm), name).toBeLessThan(tolerance);
  }
}

/** What a run starts from: the script's numbers, in the script's order. */
function settingOf(recorded: Recorded) {
  const side = isResidual(recorded) ? 16 : 8;
  const next = stream();
  const inputs = Float32Array.from({ length: examples * side * side * 3 }, () => 3 * next());
  const targets = new Float32Array(examples * classes).map((_, k) =>
    Number(Math.floor(k / classes) % classes === k % classes),
  );
  const split: Split = { examples, inputs, targets };
  const indices = Int32Array.from({ length: steps * batchSize }, () => Math.floor((next() + 0.5) * examples));
  const model = models(side)[recorded.model]!();
  const { params: specs, statistics = [] } = model;
  const drawn = Object.fromEntries(specs.map((spec) => [spec.name, initial(spec, next)]));
  const running = Object.fromEntries(
    statistics.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(name.endsWith(".mean") ? 0 : 1)]),
  );
  const { learningRate, ...settings } = optimizers[recorded.optimizer]!;
  const smoothed = recorded.loss === "smoothed";
  return {
    objective: trainingObjective(model, recorded.loss === "smoothed" ? "cross-entropy" : recorded.loss, {
      labelSmoothing: smoothed ? 0.1 : 0,
    }),
    specs,
    statistics,
    params: { ...drawn, ...running },
    split,
    batchSize,
    indices,
    learningRate: learningRateAt({
      learningRate: learningRate * (paces[recorded.model] ?? 1),
      steps,
      schedule: recorded.schedule && schedules[recorded.schedule],
    }),
    update: updateRule(optimizerOf(settings)),
  };
}

/** As the script starts a parameter of this name and shape. */
function initial({ name, shape }: ParamSpec, next: () => number): Float32Array {
  const draw = (scale: number, offset = 0) =>
    Float32Array.from({ length: sizeOf(shape) }, () => offset + scale * next());
  if (name.endsWith(".scale")) return draw(0.4, 1);
  if (shape.length === 1) return draw(0.2);
  if (shape.length === 3) return draw(0.1);
  return draw(4 / Math.sqrt(shape.length === 2 ? shape[0]! : sizeOf(shape.slice(1))));
}
