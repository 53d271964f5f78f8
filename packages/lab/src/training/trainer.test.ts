import { sgd } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { afterEach, describe, expect, test } from "vitest";
import type { Split } from "../data/dataset.js";
import { mlp } from "../models/mlp.js";
import { objective } from "../objectives/objective.js";
import { minibatchStream, type Sampling } from "../sampling/minibatch-stream.js";
import { openTrainer, type Trainer } from "./trainer.js";

const [inputs, outputs, examples] = [4, 2, 10];
const split = randomSplit();
const opened: Trainer[] = [];
afterEach(async () => {
  for (const trainer of opened.splice(0)) await trainer.dispose();
});

interface Setting {
  widths?: number[];
  learningRate?: number;
  batchSize?: number;
  sampling?: Sampling;
  optimizer?: { momentum: number; weightDecay: number };
}

async function open({
  widths = [],
  learningRate = 0.05,
  batchSize = 3,
  sampling = "with-replacement",
  optimizer,
}: Setting = {}) {
  const model = mlp({ inputs, widths, outputs });
  const trainer = await openTrainer({
    objective: objective(model, "squared"),
    specs: model.params,
    params: model.initialise(createRandom(1)),
    split,
    batchSize,
    minibatches: minibatchStream({ examples, batchSize, sampling, random: createRandom(2) }),
    learningRate: () => learningRate,
    ...(optimizer && { update: sgd(optimizer) }),
  });
  opened.push(trainer);
  return trainer;
}

/** SGD on the linear model f = x·W + b in float64, written out: the minibatch losses, and the weights after each step. */
function linearSgd(
  steps: number,
  { learningRate = 0.05, batchSize = 3, sampling = "with-replacement", optimizer }: Setting = {},
) {
  const { momentum, weightDecay } = optimizer ?? { momentum: 0, weightDecay: 0 };
  const [vw, vb] = [new Float64Array(inputs * outputs), new Float64Array(outputs)];
  const { W1, b1 } = mlp({ inputs, widths: [], outputs }).initialise(createRandom(1));
  const [w, b] = [Float64Array.from(W1!), Float64Array.from(b1!)];
  const batches = minibatchStream({ examples, batchSize, sampling, random: createRandom(2) }).next(steps);
  const losses: number[] = [];
  const weights = [Float64Array.from(w)];
  for (let step = 0; step < steps; step++) {
    const [dw, db] = [new Float64Array(w.length), new Float64Array(b.length)];
    let loss = 0;
    for (const i of batches.subarray(step * batchSize, (step + 1) * batchSize)) {
      const x = split.inputs.subarray(i * inputs, (i + 1) * inputs);
      for (let c = 0; c < outputs; c++) {
        const residual =
          x.reduce((sum, xk, k) => sum + xk * w[k * outputs + c]!, b[c]!) - split.targets[i * outputs + c]!;
        loss += residual ** 2 / (2 * batchSize);
        x.forEach((xk, k) => (dw[k * outputs + c]! += (xk * residual) / batchSize));
        db[c]! += residual / batchSize;
      }
    }
    losses.push(loss);
    for (const [theta, gradient, velocity] of [
      [w, dw, vw],
      [b, db, vb],
    ] as const) {
      gradient.forEach((g, k) => {
        velocity[k] = momentum * velocity[k]! + g + weightDecay * theta[k]!;
        theta[k]! -= learningRate * velocity[k];
      });
    }
    weights.push(Float64Array.from(w));
  }
  return { losses, weights };
}

describe.each<Sampling>(["with-replacement", "without-replacement", "epoch-shuffle"])("%s", (sampling) => {
  // 200 steps of float32 against the same in float64. Each step rounds by 6e-8 relative and SGD inside its edge damps
  // what came before, so errors stay near 1e-6 of the weights' size, which is 1; losses are squares of such errors' size.
  test("follows SGD written out by hand", async () => {
    const trainer = await open({ sampling });
    const { losses } = await trainer.advance(200);
    const truth = linearSgd(200, { sampling });
    losses.forEach((loss, i) => expect(Math.abs(loss - truth.losses[i]!)).toBeLessThan(1e-5));
    trainer.params["W1"]!.forEach((w, k) => expect(Math.abs(w - truth.weights[200]![k]!)).toBeLessThan(1e-5));
    expect(trainer.step).toBe(200);
  });

  test("is the same to the last bit however it is cut", async () => {
    const whole = await open({ sampling, widths: [5, 5] });
    const { losses } = await whole.advance(60);
    const cut = await open({ sampling, widths: [5, 5] });
    const pieces: number[] = [];
    for (const steps of [1, 0, 30, 1, 28]) pieces.push(...(await cut.advance(steps)).losses);
    expect(pieces).toEqual(Array.from(losses));
    expect(cut.params).toEqual(whole.params);
  });
});

describe("divergence", () => {
  const wild = { learningRate: 3, batchSize: 1 };
  const truth = linearSgd(400, wild);
  const firstBad = truth.losses.findIndex((loss) => !(loss <= 1e30));

  test("happens in this setting, well within the steps made and well after the start", () => {
    expect(firstBad).toBeGreaterThan(10);
    expect(firstBad).toBeLessThan(380);
  });

  // Where the loss passes 1e30 it grows by whole factors a step; float32 moves it by 1e-5, so the step is the same.
  test("is found at its step, and the weights one update earlier are kept", async () => {
    const trainer = await open(wild);
    const { losses, divergedAt } = await trainer.advance(400);
    expect(divergedAt).toBe(firstBad);
    expect(losses).toHaveLength(firstBad + 1);
    expect(Math.abs(losses[firstBad]!)).not.toBeLessThanOrEqual(1e30);
    expect(trainer.step).toBe(firstBad - 1);
    const twin = await open(wild);
    await twin.advance(firstBad - 1);
    expect(trainer.params).toEqual(twin.params);
  });

  // Every place within a chunk where it can happen: the first step, the second, the last, the last but one.
  test.each([0, 1, -1, -2])("is found at place %i of a chunk", async (place) => {
    const trainer = await open(wild);
    await trainer.advance(place >= 0 ? firstBad - place : 5);
    const { divergedAt } = await trainer.advance(place >= 0 ? 10 : firstBad - 5 - place);
    const expected = await open(wild);
    await expected.advance(firstBad - 1);
    expect([divergedAt, trainer.step]).toEqual([firstBad, firstBad - 1]);
    expect(trainer.params).toEqual(expected.params);
  });

  test("a first step that cannot be taken leaves the initial weights", async () => {
    const trainer = await open({ learningRate: 3e38, batchSize: 1 });
    const initial = trainer.params;
    const { divergedAt } = await trainer.advance(5);
    expect(divergedAt).toBe(1);
    expect(trainer.step).toBe(0);
    expect(trainer.params).toEqual(initial);
  });
});

describe("heavy ball with weight decay", () => {
  const optimizer = { momentum: 0.8, weightDecay: 0.01 };

  test("follows the update written out by hand", async () => {
    const trainer = await open({ optimizer });
    const { losses } = await trainer.advance(200);
    const truth = linearSgd(200, { optimizer });
    losses.forEach((loss, i) => expect(Math.abs(loss - truth.losses[i]!)).toBeLessThan(1e-5));
    trainer.params["W1"]!.forEach((w, k) => expect(Math.abs(w - truth.weights[200]![k]!)).toBeLessThan(1e-5));
  });

  test("carries its velocity from call to call, and back when an update is taken back", async () => {
    const whole = await open({ optimizer });
    await whole.advance(32);
    const cut = await open({ optimizer });
    await cut.advance(13);
    await cut.advance(20);
    await cut.retreat();
    expect([cut.step, cut.params]).toEqual([32, whole.params]);
    expect(Object.keys(cut.params)).toEqual(["W1", "b1"]);
  });
});

test("retreat takes back one update", async () => {
  const trainer = await open();
  const initial = trainer.params;
  await trainer.retreat();
  expect([trainer.step, trainer.params]).toEqual([0, initial]);
  await trainer.advance(3);
  const three = trainer.params;
  await trainer.advance(1);
  await trainer.retreat();
  expect([trainer.step, trainer.params]).toEqual([3, three]);
});

function randomSplit(): Split {
  const random = createRandom(5);
  return {
    examples,
    inputs: Float32Array.from(random.normals(examples * inputs)),
    targets: Float32Array.from(random.normals(examples * outputs)),
  };
}
