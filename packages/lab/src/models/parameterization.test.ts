import { adam, compile, sgd, tensor, trainingLoop, updateState, vjp, type UpdateRule } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { objective } from "../objectives/objective.js";
import { mlp } from "./mlp.js";
import { sizeOf, type Model } from "./model.js";
import type { OptimizerFamily, Parameterization } from "./parameterization.js";

const [inputs, outputs, examples] = [8, 3, 16];
const random = createRandom("parameterization");
const x = Float32Array.from(random.normals(examples * inputs));
const y = Float32Array.from(random.normals(examples * outputs));

async function outputOf(model: Model, params: Readonly<Record<string, Float32Array | Float64Array>>) {
  const session = await compile(model.graph);
  const { output } = await session.run({ ...params, x });
  await session.dispose();
  return Array.from(output!.data as Float32Array);
}

// A network without activations: given x, outputs are N(0, ‖x‖²/inputs) by the chain of layers, whatever the width, and
// for μP 1/r of that. Their mean square over 16 inputs, 3 outputs and 60 seeds errs by some √(2/180) of it, a tenth.
describe.each<[Parameterization, (ratio: number) => number]>([
  ["standard", () => 1],
  ["ntk", () => 1],
  ["mup", (ratio) => 1 / ratio],
])("%s: the size of the outputs at the start", (parameterization, expected) => {
  test.each([16, 64, 256])("at width %i", async (width) => {
    const baseWidth = 64;
    const options = { inputs, outputs, widths: [width, width], activation: "identity", baseWidth } as const;
    const model = mlp({ ...options, parameterization });
    const seeds = 60;
    let sum = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const output = await outputOf(model, model.initialise(createRandom(seed)));
      sum += output.reduce((total, f) => total + f * f, 0) / outputs;
    }
    const truth = (expected(width / baseWidth) * x.reduce((total, v) => total + v * v, 0)) / inputs;
    expect(Math.abs(sum / seeds / truth - 1)).toBeLessThan(0.4);
  });
});

/** Table 3 of arXiv:2203.03466 for widths of r times the base: learning rates, and deviation over that of `standard`. */
const table3: Record<OptimizerFamily, (r: number) => Record<string, { rate: number; deviation: number }>> = {
  sgd: (r) => ({
    W1: { rate: r, deviation: 1 },
    b1: { rate: r, deviation: 0 },
    W2: { rate: 1, deviation: 1 },
    b2: { rate: r, deviation: 0 },
    W3: { rate: 1 / r, deviation: 1 / Math.sqrt(r) },
    b3: { rate: 1, deviation: 0 },
  }),
  adam: (r) => ({
    W1: { rate: 1, deviation: 1 },
    b1: { rate: 1, deviation: 0 },
    W2: { rate: 1 / r, deviation: 1 },
    b2: { rate: 1, deviation: 0 },
    W3: { rate: 1 / r, deviation: 1 / Math.sqrt(r) },
    b3: { rate: 1, deviation: 0 },
  }),
};

// The same training, written with one learning rate and multipliers, and as the table has it with a rate for each layer:
// float64 on both sides, six steps. Adam with ε = 0, where the symmetry is exact.
describe.each<OptimizerFamily>(["sgd", "adam"])("μP for %s", (family) => {
  const [width, baseWidth, steps, learningRate] = [24, 8, 6, 0.01];
  const shape = { inputs, outputs, widths: [width, width] } as const;
  const standard = mlp(shape);
  const mup = mlp({ ...shape, baseWidth, parameterization: "mup", family });
  const table = table3[family](width / baseWidth);
  const names = standard.params.map(({ name }) => name);

  test("is the training of Table 3", async () => {
    // What both start from: the multiplier is the quotient of the two deviations, and shows in the first outputs.
    const own = mup.initialise(createRandom(5));
    const plain = standard.initialise(createRandom(5));
    const theta = Object.fromEntries(
      names.map((name) => [name, Float64Array.from(plain[name]!, (value) => value * table[name]!.deviation)]),
    );
    const gradient = await compile(vjp(objective(standard, "squared"), { of: "loss", wrt: names }), {
      precision: "float64",
    });
    const memory = Object.fromEntries(
      names.map((name) => [name, [0, 0].map(() => new Float64Array(theta[name]!.length))]),
    );
    const losses: number[] = [];
    for (let t = 1; t <= steps; t++) {
      const results = await gradient.run({ ...theta, x, y });
      losses.push(Number(results["loss"]!.data[0]));
      for (const name of names) {
        const rate = learningRate * table[name]!.rate;
        const [m, v] = memory[name]!;
        theta[name]!.forEach((value, k) => {
          const g = Number(results[`gradient/${name}`]!.data[k]);
          m![k] = 0.9 * m![k]! + 0.1 * g;
          v![k] = 0.999 * v![k]! + 0.001 * g * g;
          const step = m![k] / (1 - 0.9 ** t) / Math.sqrt(v![k] / (1 - 0.999 ** t));
          theta[name]![k] = value - rate * (family === "sgd" ? g : step);
        });
      }
    }
    await gradient.dispose();
    const followed = await trained(mup, own, family === "sgd" ? sgd() : adam({ epsilon: 0 }), steps, learningRate);
    // The initial weights are rounded to float32 on either side, 6e-8 each; nothing else differs by more.
    followed.forEach((loss, t) => expect(Math.abs(loss / losses[t]! - 1), `step ${t}`).toBeLessThan(1e-5));
    expect(losses.at(-1)!).toBeLessThan(0.98 * losses[0]!);
  });
});

async function trained(
  model: Model,
  params: Readonly<Record<string, Float32Array>>,
  update: UpdateRule,
  steps: number,
  learningRate: number,
): Promise<number[]> {
  const names = model.params.map(({ name }) => name);
  const loop = trainingLoop(objective(model, "squared"), { loss: "loss", params: names, data: ["x", "y"], update });
  const zeros = Object.entries(updateState(loop, names)).map(([name, shape]) => [
    name,
    new Float64Array(sizeOf(shape as number[])),
  ]);
  const session = await compile(loop, { precision: "float64" });
  const all = Array.from({ length: examples }, (_, i) => i);
  const factors = Object.entries(update.perStep ?? {}).map(([name, value]) => [name, all.slice(0, steps).map(value)]);
  const { loss } = await session.run({
    ...params,
    ...(Object.fromEntries(zeros) as Record<string, Float64Array>),
    ...(Object.fromEntries(factors) as Record<string, number[]>),
    x,
    y,
    indices: tensor(Array.from({ length: steps }, () => all).flat(), [steps, examples], "int64"),
    learningRate: new Array<number>(steps).fill(learningRate),
  });
  await session.dispose();
  return Array.from(loss!.data, Number);
}

// The coordinate check of Tensor Programs V: how far a few steps at one learning rate move the outputs. In μP hardly
// depends on width; in standard parameterisation with SGD it grows with it, here sixteenfold in width.
test("a few steps move the outputs alike at every width in μP, and not in standard parameterisation", async () => {
  const moved = async (parameterization: Parameterization, width: number) => {
    const model = mlp({ inputs, outputs, widths: [width, width], parameterization, baseWidth: 64 });
    const losses = await trained(model, model.initialise(createRandom(3)), sgd(), 4, 0.02);
    return Math.abs(losses[3]! - losses[0]!) / losses[0]!;
  };
  const ratio = async (parameterization: Parameterization) =>
    (await moved(parameterization, 512)) / (await moved(parameterization, 32));
  expect(await ratio("mup")).toBeGreaterThan(0.5);
  expect(await ratio("mup")).toBeLessThan(2);
  expect(await ratio("standard")).toBeGreaterThan(3);
});
