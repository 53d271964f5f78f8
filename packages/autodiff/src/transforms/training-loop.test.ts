import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import type { Graph } from "../ir/graph.js";
import { numbersOf, tensor, type Tensor } from "../ir/tensor.js";
import { nodesInside, nodesReaching } from "../ir/traverse.js";
import { fuse } from "../passes/fuse.js";
import { compile } from "../runtime/session.js";
import { relativeError } from "../testing/linear-algebra.js";
import { testRandom } from "../testing/random.js";
import { vjp } from "./graphs.js";
import { trainingLoop, updateState } from "./training-loop.js";
import { sgd, type SgdOptions } from "./update-rules.js";

const params = ["W1", "b1", "W2"];
const shapes = { W1: [4, 5], b1: [5], W2: [5, 2] };

const model = graph((b) => {
  const x = b.input("x", ["batch", 4]);
  const y = b.input("y", ["batch", 2]);
  const [w1, b1, w2] = [b.input("W1", shapes.W1), b.input("b1", shapes.b1), b.input("W2", shapes.W2)];
  return { loss: b.squaredLoss(b.dense(b.tanh(b.dense(x, w1, b1)), w2), y) };
});

const random = testRandom(7);
const EXAMPLES = 9;
const data = { x: random.array(EXAMPLES * 4), y: random.array(EXAMPLES * 2) };
const start: Record<string, Float64Array> = { W1: random.array(20), b1: random.array(5), W2: random.array(10) };
const rates = [0.3, 0.2, 0.4, 0.1, 0.25];
const batches = [
  [0, 3, 8],
  [1, 1, 2],
  [4, 7, 5],
  [6, 0, 2],
  [8, 8, 8],
];

/** The same steps, one at a time: gradients by a session, the update by plain arithmetic. */
async function stepByStep({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions) {
  const gradient = await compile(vjp(model, { of: "loss", wrt: params }), { precision: "float64" });
  const rows = (values: Float64Array, width: number, batch: number[]) =>
    Float64Array.from(batch.flatMap((i) => [...values.slice(i * width, (i + 1) * width)]));
  const weights = Object.fromEntries(params.map((name) => [name, Float64Array.from(start[name]!)]));
  const velocity = Object.fromEntries(params.map((name) => [name, new Float64Array(start[name]!.length)]));
  const losses: number[] = [];
  for (const [step, batch] of batches.entries()) {
    const results = await gradient.run({ ...weights, x: rows(data.x, 4, batch), y: rows(data.y, 2, batch) });
    losses.push(Number(results.loss!.data[0]));
    for (const name of params) {
      const w = weights[name]!;
      const v = velocity[name]!;
      for (let i = 0; i < w.length; i++) {
        const g = Number(results[`gradient/${name}`]!.data[i]) + weightDecay * w[i]!;
        v[i] = momentum * v[i]! + g;
        w[i]! -= rates[step]! * (nesterov ? g + momentum * v[i]! : v[i]!);
      }
    }
  }
  await gradient.dispose();
  return { weights, velocity, losses };
}

async function inOneLoop(training: Graph, feeds: Record<string, Tensor | Float64Array> = {}) {
  const session = await compile(training, { precision: "float64" });
  const indices = tensor(batches.flat(), [5, 3], "int64");
  const result = await session.run({ ...start, ...data, indices, learningRate: rates, ...feeds });
  await session.dispose();
  return result;
}

describe("trainingLoop", () => {
  // The same arithmetic in another order: a few hundred roundings of 1e-16 over five steps.
  const rules: [string, SgdOptions][] = [
    ["plain", {}],
    ["weight decay", { weightDecay: 0.1 }],
    ["heavy ball", { momentum: 0.8 }],
    ["Nesterov with weight decay", { momentum: 0.8, nesterov: true, weightDecay: 0.1 }],
  ];
  test.each(rules)("takes the steps that gradients give: %s", async (_, options) => {
    const training = trainingLoop(model, { loss: "loss", params, data: ["x", "y"], update: sgd(options) });
    const state = updateState(training, params);
    const zeros = Object.fromEntries(
      Object.entries(state).map(([name, shape]) => [
        name,
        new Float64Array(shape.reduce<number>((n, dim) => n * Number(dim), 1)),
      ]),
    );
    const expected = await stepByStep(options);
    const result = await inOneLoop(training, zeros);
    expect(relativeError(result.loss!.data, expected.losses)).toBeLessThan(1e-13);
    for (const name of params) expect(relativeError(result[name]!.data, expected.weights[name]!)).toBeLessThan(1e-13);
    if (options.momentum)
      for (const name of params)
        expect(relativeError(result[`velocity/${name}`]!.data, expected.velocity[name]!)).toBeLessThan(1e-13);
    expect(Object.keys(state)).toEqual(options.momentum ? params.map((name) => `velocity/${name}`) : []);
  });

  test("one session serves any number of steps, none included, and any batch size", async () => {
    const session = await compile(trainingLoop(model, { loss: "loss", params, data: ["x", "y"] }), {
      precision: "float64",
    });
    for (const [steps, batch] of [
      [0, 4],
      [1, 1],
      [7, 2],
    ] as const) {
      const indices = tensor(new Array<number>(steps * batch).fill(3), [steps, batch], "int64");
      const { loss, W1 } = await session.run({
        ...start,
        ...data,
        indices,
        learningRate: new Array<number>(steps).fill(0.1),
      });
      expect(loss!.shape).toEqual([steps]);
      if (steps === 0) expect(numbersOf(W1!)).toEqual(Array.from(start.W1!));
    }
    await session.dispose();
  });

  test("ends after the step that diverged, and says which by the number of losses", async () => {
    const training = trainingLoop(model, { loss: "loss", params, data: ["x", "y"], stopAbove: 1e6 });
    const session = await compile(training);
    const steps = 50;
    const indices = tensor(new Array<number>(steps * 3).fill(1), [steps, 3], "int64");
    const { loss } = await session.run({
      ...start,
      ...data,
      indices,
      learningRate: new Array<number>(steps).fill(1e4),
    });
    await session.dispose();
    expect(loss!.data.length).toBeLessThan(steps);
    const last = Number(loss!.data[loss!.data.length - 1]);
    expect(Math.abs(last) < 1e6).toBe(false);
    expect(
      Array.from(loss!.data as Float32Array)
        .slice(0, -1)
        .every((value) => value < 1e6),
    ).toBe(true);
  });

  test("updates each weight matrix in one op, and scales the loss instead of each gradient", () => {
    const fused = fuse(trainingLoop(model, { loss: "loss", params, data: ["x", "y"] }));
    const [loop] = nodesReaching(Object.values(fused.outputs)).filter(({ op }) => op === "Loop");
    const inside = nodesInside(loop!.body!);
    const updates = inside.filter(({ op, attributes }) => op === "Gemm" && attributes.alpha === -1);
    expect(updates.map(({ inputs }) => inputs[2]?.shape)).toEqual([
      [4, 5],
      [5, 2],
    ]);
    // Only the bias is left to a subtraction of its own; the others are the residual and 1 − tanh².
    expect(inside.filter(({ op }) => op === "Sub").length).toBe(3);
  });

  test("refuses what is not there", () => {
    expect(() => trainingLoop(model, { loss: "error", params, data: ["x", "y"] })).toThrow(
      'trainingLoop: the graph has no output "error"; it has loss.',
    );
    expect(() => sgd({ momentum: 1 })).toThrow("sgd: momentum must be at least 0 and below 1, got 1.");
  });
});
