import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { tensor } from "../ir/tensor.js";
import { compile } from "../runtime/session.js";
import { relativeError } from "../testing/linear-algebra.js";
import { testRandom } from "../testing/random.js";
import { trainingLoop, type TrainingLoopOptions } from "./training-loop.js";
import { adam, rmsprop, sgd, type UpdateRule } from "./update-rules.js";

// f = x·W + b with squared loss: the gradient is written out below, and the optimisers after their own papers' formulas.
const [inputs, outputs, examples, batchSize] = [4, 3, 11, 4];
const model = graph((b) => {
  const output = b.dense(b.input("x", ["batch", inputs]), b.input("W", [inputs, outputs]), b.input("b", [outputs]));
  return { loss: b.squaredLoss(output, b.input("y", ["batch", outputs])) };
});
const random = testRandom(3);
const data = { x: random.array(examples * inputs), y: random.array(examples * outputs) };
const start = { W: random.array(inputs * outputs), b: random.array(outputs) };
const steps = 9;
const batches = Array.from({ length: steps }, (_, t) => [t, 3 * t + 1, 7 * t, 5].map((i) => i % examples));
const rates = Array.from({ length: steps }, (_, t) => 0.1 / (1 + t));

type Vector = Float64Array;

/** Gradients of the mean of ½‖x·W + b − y‖² over a batch, as one vector: W, then b. */
function gradientAt(theta: Vector, batch: readonly number[]): Vector {
  const gradient = new Float64Array(theta.length);
  for (const i of batch) {
    for (let c = 0; c < outputs; c++) {
      let residual = theta[inputs * outputs + c]! - data.y[i * outputs + c]!;
      for (let k = 0; k < inputs; k++) residual += data.x[i * inputs + k]! * theta[k * outputs + c]!;
      for (let k = 0; k < inputs; k++)
        gradient[k * outputs + c]! += (data.x[i * inputs + k]! * residual) / batch.length;
      gradient[inputs * outputs + c]! += residual / batch.length;
    }
  }
  return gradient;
}

/** One optimiser, one number at a time: `memory` starts as zeros. */
type Update = (theta: number, g: number, rate: number, t: number, memory: number[]) => number;

function byHand(update: Update, clip = Infinity): Vector {
  const theta = Float64Array.from([...start.W, ...start.b]);
  const memories = Array.from(theta, () => [0, 0]);
  for (let t = 0; t < steps; t++) {
    const gradient = gradientAt(theta, batches[t]!);
    const norm = Math.hypot(...gradient);
    const shorten = Math.min(1, clip / (norm + 1e-6));
    theta.forEach((value, k) => {
      theta[k] = update(value, gradient[k]! * shorten, rates[t]!, t + 1, memories[k]!);
    });
  }
  return theta;
}

async function inTheLoop(update: UpdateRule, options: Partial<TrainingLoopOptions> = {}): Promise<Vector> {
  const parts = options.parts ?? 1;
  const training = trainingLoop(model, { loss: "loss", params: ["W", "b"], data: ["x", "y"], update, ...options });
  const session = await compile(training, { precision: "float64" });
  const state: Record<string, Vector> = {};
  for (const [name, value] of Object.entries({ W: start.W, b: start.b })) {
    for (const key of ["velocity", "firstMoment", "secondMoment", "squareAverage"])
      state[`${key}/${name}`] = new Float64Array(value.length);
  }
  const perStep = Object.entries(update.perStep ?? {}).map(([name, factor]) => [name, rates.map((_, t) => factor(t))]);
  const shape = parts === 1 ? [steps, batchSize] : [steps, parts, batchSize / parts];
  const result = await session.run({
    ...start,
    ...state,
    ...data,
    ...Object.fromEntries(perStep as [string, number[]][]),
    indices: tensor(batches.flat(), shape, "int64"),
    learningRate: rates,
  });
  await session.dispose();
  return Float64Array.from([...result["W"]!.data, ...result["b"]!.data].map(Number));
}

const [m, decay, beta1, beta2, epsilon, alpha] = [0.7, 0.05, 0.8, 0.95, 1e-3, 0.9];

const sgdByHand =
  (nesterov: boolean): Update =>
  (theta, gradient, rate, _, memory) => {
    const g = gradient + decay * theta;
    memory[0] = m * memory[0]! + g;
    return theta - rate * (nesterov ? g + m * memory[0] : memory[0]);
  };

const adamByHand =
  (decoupled: boolean): Update =>
  (theta, gradient, rate, t, memory) => {
    const g = decoupled ? gradient : gradient + decay * theta;
    memory[0] = beta1 * memory[0]! + (1 - beta1) * g;
    memory[1] = beta2 * memory[1]! + (1 - beta2) * g * g;
    const [first, second] = [memory[0] / (1 - beta1 ** t), memory[1] / (1 - beta2 ** t)];
    return (decoupled ? theta * (1 - rate * decay) : theta) - (rate * first) / (Math.sqrt(second) + epsilon);
  };

const rmspropByHand: Update = (theta, gradient, rate, _, memory) => {
  const g = gradient + decay * theta;
  memory[0] = alpha * memory[0]! + (1 - alpha) * g * g;
  memory[1] = m * memory[1]! + g / (Math.sqrt(memory[0]) + epsilon);
  return theta - rate * memory[1];
};

const rules: [string, UpdateRule, Update][] = [
  ["heavy ball", sgd({ momentum: m, weightDecay: decay }), sgdByHand(false)],
  ["Nesterov", sgd({ momentum: m, weightDecay: decay, nesterov: true }), sgdByHand(true)],
  ["Adam", adam({ beta1, beta2, epsilon, weightDecay: decay }), adamByHand(false)],
  ["AdamW", adam({ beta1, beta2, epsilon, weightDecay: decay, decoupled: true }), adamByHand(true)],
  ["RMSProp with momentum", rmsprop({ alpha, epsilon, momentum: m, weightDecay: decay }), rmspropByHand],
  [
    "RMSProp",
    rmsprop({ alpha, epsilon }),
    (theta, g, rate, _, memory) => {
      memory[0] = alpha * memory[0]! + (1 - alpha) * g * g;
      return theta - (rate * g) / (Math.sqrt(memory[0]) + epsilon);
    },
  ],
];

// float64 on both sides, nine steps of a few dozen operations: 1e-13 is some hundred roundings.
describe.each(rules)("%s", (_, rule, update) => {
  test("takes the steps of its formula", async () => {
    expect(relativeError(await inTheLoop(rule), byHand(update))).toBeLessThan(1e-13);
  });

  test("takes the same steps with each batch in two parts", async () => {
    expect(relativeError(await inTheLoop(rule, { parts: 2 }), byHand(update))).toBeLessThan(1e-13);
  });

  // 0.3 shortens most of the nine gradients, whose norms are 0.2 to 2.
  test("clips the gradient before all else", async () => {
    expect(relativeError(await inTheLoop(rule, { clipNorm: 0.3 }), byHand(update, 0.3))).toBeLessThan(1e-13);
    expect(relativeError(byHand(update, 0.3), byHand(update))).toBeGreaterThan(1e-3);
  });
});

test("plain descent is clipped, and taken in parts, as written out", async () => {
  const plain: Update = (theta, g, rate) => theta - rate * g;
  expect(relativeError(await inTheLoop(sgd(), { clipNorm: 0.3, parts: 4 }), byHand(plain, 0.3))).toBeLessThan(1e-13);
  expect(relativeError(await inTheLoop(sgd(), { parts: 4 }), byHand(plain))).toBeLessThan(1e-13);
});

test("inputs that follow an output are running means of it", async () => {
  const following = graph((b) => {
    const x = b.input("x", ["batch", inputs]);
    const output = b.dense(x, b.input("W", [inputs, outputs]), b.input("b", [outputs]));
    const centred = b.sub(output, b.mul(b.reduceMean(b.input("mean", [inputs])), 0));
    return { loss: b.squaredLoss(centred, b.input("y", ["batch", outputs])), batchMean: b.reduceMean(x, [0]) };
  });
  const share = 0.25;
  for (const parts of [1, 2]) {
    const training = trainingLoop(following, {
      loss: "loss",
      params: ["W", "b"],
      data: ["x", "y"],
      follow: { mean: { output: "batchMean", share } },
      parts,
    });
    const session = await compile(training, { precision: "float64" });
    const size = batchSize / parts;
    const result = await session.run({
      ...start,
      ...data,
      mean: new Float64Array(inputs).fill(1),
      indices: tensor(batches.flat(), parts === 1 ? [steps, batchSize] : [steps, parts, size], "int64"),
      learningRate: rates,
    });
    await session.dispose();
    const mean = new Float64Array(inputs).fill(1);
    const all = batches.flat();
    for (let from = 0; from < all.length; from += size) {
      for (let k = 0; k < inputs; k++) {
        const now = all.slice(from, from + size).reduce((sum, i) => sum + data.x[i * inputs + k]! / size, 0);
        mean[k]! += share * (now - mean[k]!);
      }
    }
    expect(relativeError(result["mean"]!.data, mean)).toBeLessThan(1e-13);
  }
});

test("a preparation changes what the model sees, with draws of each example", async () => {
  const flipped = await inTheLoopWithSigns();
  // Negating x of an example is training on −x: the draws negate every second one.
  const negated = (batch: readonly number[], theta: Vector): Vector => {
    const kept = Float64Array.from(data.x);
    const sum = new Float64Array(theta.length);
    batch.forEach((i, place) => {
      const sign = place % 2 === 0 ? -1 : 1;
      for (let k = 0; k < inputs; k++) data.x[i * inputs + k] = sign * kept[i * inputs + k]!;
      gradientAt(theta, [i]).forEach((g, k) => (sum[k]! += g / batch.length));
      data.x.set(kept);
    });
    return sum;
  };
  const theta = Float64Array.from([...start.W, ...start.b]);
  for (let t = 0; t < steps; t++) {
    const gradient = negated(batches[t]!, theta);
    theta.forEach((value, k) => (theta[k] = value - rates[t]! * gradient[k]!));
  }
  expect(relativeError(flipped, theta)).toBeLessThan(1e-13);
});

async function inTheLoopWithSigns(): Promise<Vector> {
  const training = trainingLoop(model, {
    loss: "loss",
    params: ["W", "b"],
    data: ["x", "y"],
    parts: 2,
    prepare: {
      draws: { sign: { type: "float32", shape: [1] } },
      apply: (b, batch, { sign }) => ({ ...batch, x: b.mul(batch["x"]!, sign!) }),
    },
  });
  const session = await compile(training, { precision: "float64" });
  const result = await session.run({
    ...start,
    ...data,
    indices: tensor(batches.flat(), [steps, 2, 2], "int64"),
    sign: tensor(
      Float64Array.from({ length: steps * batchSize }, (_, i) => (i % 2 === 0 ? -1 : 1)),
      [steps, 2, 2, 1],
    ),
    learningRate: rates,
  });
  await session.dispose();
  return Float64Array.from([...result["W"]!.data, ...result["b"]!.data].map(Number));
}

test("settings outside their range are refused by name", () => {
  expect(() => sgd({ momentum: 1 })).toThrow("sgd: momentum must be at least 0 and below 1, got 1.");
  expect(() => adam({ beta2: 1 })).toThrow("adam: beta2 must be at least 0 and below 1, got 1.");
  expect(() => adam({ epsilon: -1 })).toThrow("adam: epsilon must be at least 0, got -1.");
  expect(() => rmsprop({ weightDecay: NaN })).toThrow("rmsprop: weightDecay must be at least 0, got NaN.");
  const loop = (options: Partial<TrainingLoopOptions>) => () =>
    trainingLoop(model, { loss: "loss", params: ["W", "b"], data: ["x", "y"], ...options });
  expect(loop({ parts: 0 })).toThrow("trainingLoop: parts must be a whole number from 1 up, got 0.");
  expect(loop({ clipNorm: 0 })).toThrow("trainingLoop: clipNorm must be above 0, got 0.");
});
