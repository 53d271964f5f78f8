import { graph, tensor } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { jacobianTrace, meanOf, openPerExampleNorms, perExampleGradientNorms } from "./norms.js";
import { denseJacobian, relativeError, testModels, testPreconditioner } from "./testing.js";

/** Truth: rows of the dense float64 Jacobian. Ours is float32; tolerances as for the kernel, ntk.test.ts. */
const FLOAT32 = 5e-6;

describe.each(testModels.filter(({ name }) => name !== "made for two examples"))("$name", (model) => {
  const { values, inputs, examples, outputs } = model;
  const random = createRandom(3);
  const shape = Object.values(model.graph.outputs)[0]!.shape;

  test("‖J_i‖², plain, preconditioned, and within a small budget", async () => {
    const { jacobian, size } = await denseJacobian(model, values, inputs);
    const preconditioner = testPreconditioner(model);
    const divisor = model.params.flatMap(({ name }) => [...preconditioner[name]!]);
    const expected = (divide: (k: number) => number) =>
      Float64Array.from({ length: examples }, (_, i) => {
        const rows = jacobian.subarray(i * outputs * size, (i + 1) * outputs * size);
        return rows.reduce((sum, x, k) => sum + (x * x) / divide(k % size), 0);
      });
    const norms = await openPerExampleNorms(model);
    const small = await openPerExampleNorms(model, { memoryBudget: 60_000 });
    expect(
      relativeError(
        await norms.jacobian(values, inputs),
        expected(() => 1),
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        await small.jacobian(values, inputs),
        expected(() => 1),
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        await norms.jacobian(values, inputs, { preconditioner }),
        expected((k) => divisor[k]!),
      ),
    ).toBeLessThan(FLOAT32);
    await norms.dispose();
    await small.dispose();
  });

  test.each(["squared", "cubed"])("‖∇ℓ_i‖² of a %s loss", async (name) => {
    const targets = Float32Array.from({ length: examples * outputs }, () => random.normal());
    const cubed = graph((b) => {
      const own = ["batch", ...shape.slice(1)];
      const residual = b.sub(b.input("output", own), b.input("y", own));
      return { loss: b.reduceMean(b.reduceSum(b.pow(residual, 3), own.map((_, k) => k).slice(1))) };
    });
    const { jacobian, size } = await denseJacobian(model, values, inputs);
    const output = await outputOf(model);
    const expected = Float64Array.from({ length: examples }, (_, i) => {
      const gradient = new Float64Array(size);
      for (let c = 0; c < outputs; c++) {
        const residual = output[i * outputs + c]! - targets[i * outputs + c]!;
        const slope = name === "squared" ? residual : 3 * residual ** 2;
        for (let k = 0; k < size; k++) gradient[k]! += slope * jacobian[(i * outputs + c) * size + k]!;
      }
      return gradient.reduce((sum, x) => sum + x * x, 0);
    });
    const loss = name === "squared" ? name : cubed;
    const norms = await perExampleGradientNorms(model, loss, values, { inputs, targets });
    expect(relativeError(norms, expected)).toBeLessThan(FLOAT32);
  });
});

async function outputOf(model: (typeof testModels)[number]): Promise<Float64Array> {
  const { compile } = await import("@sedge/autodiff");
  const session = await compile(model.graph, { precision: "float64" });
  const feeds = Object.fromEntries(
    [
      ...Object.entries(model.inputs),
      ...model.params.map(({ name, shape }) => [name, tensor(model.values[name]!, shape)] as const),
    ].map(([name, { data, shape, type }]) => [
      name,
      type === "float32" ? tensor(Float64Array.from(data as Float32Array), shape) : tensor(data, shape, type),
    ]),
  );
  const { output } = await session.run(feeds);
  await session.dispose();
  return output!.data as Float64Array;
}

test("a model made for a fixed number of examples has the norms of the same model with a free one", async () => {
  const model = testModels.find(({ name }) => name === "made for two examples")!;
  const free = {
    ...model,
    graph: graph((b) => {
      const x = b.input("x", ["batch", 4]);
      const param = (name: string) => b.input(name, model.params.find((spec) => spec.name === name)!.shape);
      return { output: b.dense(b.tanh(b.dense(x, param("w1"), param("b1"))), param("w2")) };
    }),
  };
  const targets = new Float32Array(model.examples * model.outputs).fill(0.3);
  const [own, other] = await Promise.all(
    [model, free].map((each) =>
      perExampleGradientNorms(each, "squared", model.values, { inputs: model.inputs, targets }),
    ),
  );
  expect(relativeError(own!, other!)).toBeLessThan(1e-6);
  const trace = await jacobianTrace(model, model.values, model.inputs);
  expect(trace.value).toBeGreaterThan(0);
  expect(trace.standardError).toBeGreaterThan(0);
});

// An error bar of two standard errors holds the truth in 95 % of trials where the mean is normal; squared norms are skewed,
// which costs a little. Truth: all examples. Probes are drawn from them with replacement, so they are independent.
test("tr Θ of a probe lies within its own error bar in at least 90 % of seeded trials", async () => {
  const model = testModels.find(({ name }) => name === "one position")!;
  const random = createRandom(11);
  const count = 2000;
  const inputs = Float32Array.from({ length: count * 5 }, () => random.normal());
  const norms = await openPerExampleNorms(model);
  const all = await norms.jacobian(model.values, inputs);
  await norms.dispose();
  const truth = meanOf(all).value;
  const trials = 200;
  let inside = 0;
  for (let trial = 0; trial < trials; trial++) {
    const draw = createRandom(trial);
    const { value, standardError } = meanOf(Float64Array.from({ length: 64 }, () => all[draw.integer(count)]!));
    if (Math.abs(value - truth) <= 2 * standardError) inside++;
  }
  expect(inside / trials).toBeGreaterThanOrEqual(0.9);
});

test("what does not fit is refused", async () => {
  const model = testModels.find(({ name }) => name === "one position")!;
  const norms = await openPerExampleNorms(model, { loss: "squared" });
  const { values, inputs } = model;
  await expect(norms.jacobian(values, new Float32Array(7))).rejects.toThrow(
    'perExampleNorms: input "x" of shape [batch, 5] cannot be filled by 7 numbers.',
  );
  await expect(norms.jacobian({ ...values, w1: new Float32Array(3) }, inputs)).rejects.toThrow(
    'perExampleNorms: parameter "w1": expected 40 numbers, got 3.',
  );
  await expect(norms.gradient(values, inputs, new Float32Array(7))).rejects.toThrow(
    "perExampleNorms: targets: expected a multiple of 3 numbers, got 7.",
  );
  await norms.dispose();
  const small = await openPerExampleNorms(model, { memoryBudget: 10 });
  await expect(small.jacobian(values, inputs)).rejects.toThrow(
    "perExampleNorms: memoryBudget: 0 MiB are not enough for one example.",
  );
});
