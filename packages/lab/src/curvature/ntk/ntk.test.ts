import { describe, expect, test } from "vitest";
import { openNtk } from "./ntk.js";
import {
  denseJacobian,
  denseKernel,
  relativeError,
  testModels,
  testPreconditioner,
  type TestModel,
} from "./testing.js";

/**
 * Truth: the dense Jacobian in float64, by reverse mode, one output of one example at a time; of a model made for a fixed
 * number of examples, that of the same model with a free one. The kernel is float32: some hundred roundings of 6e-8 that
 * add at random give 6e-7 of the largest entry; the tanh and softmax of these models hardly amplify.
 */
const FLOAT32 = 5e-6;

const truths = new Map<string, ReturnType<typeof denseJacobian>>();

function truthOf(model: TestModel): ReturnType<typeof denseJacobian> {
  let truth = truths.get(model.name);
  if (truth === undefined) truths.set(model.name, (truth = denseJacobian(model, model.values, model.inputs)));
  return truth;
}

describe.each(testModels.filter(({ name }) => name !== "made for two examples"))("$name", (model) => {
  const { values, inputs, examples, outputs } = model;

  test("the kernel of each parameter array, and their sum", async () => {
    const { jacobian, size, columns } = await truthOf(model);
    const estimator = await openNtk(model);
    const { parts, matrix } = await estimator.measureParts(values, inputs);
    const whole = await estimator.measure(values, inputs);
    await estimator.dispose();
    const scale = Math.max(...denseKernel(jacobian, size, examples));
    for (const { param, matrix: part } of parts) {
      const { first, size: count } = columns.get(param)!;
      const expected = denseKernel(jacobian, size, examples, { first, count });
      const error = Math.max(...part.map((x, k) => Math.abs(x - expected[k]!))) / scale;
      expect(error, param).toBeLessThan(FLOAT32);
    }
    const expected = denseKernel(jacobian, size, examples);
    expect(relativeError(matrix, expected)).toBeLessThan(FLOAT32);
    expect(relativeError(whole.matrix, expected)).toBeLessThan(FLOAT32);
  });

  test("with a preconditioner", async () => {
    const { jacobian, size } = await truthOf(model);
    const preconditioner = testPreconditioner(model);
    const divisor = Float64Array.from(model.params.flatMap(({ name }) => [...preconditioner[name]!]));
    const estimator = await openNtk(model);
    const { matrix } = await estimator.measure(values, inputs, { preconditioner });
    await estimator.dispose();
    expect(relativeError(matrix, denseKernel(jacobian, size, examples, { divisor }))).toBeLessThan(FLOAT32);
  });

  test("in blocks of examples and outputs, within a small budget", async () => {
    const { jacobian, size } = await truthOf(model);
    const estimator = await openNtk(model, { memoryBudget: 100_000 });
    const { matrix, output } = await estimator.measure(values, inputs);
    await estimator.dispose();
    expect(relativeError(matrix, denseKernel(jacobian, size, examples))).toBeLessThan(FLOAT32);
    expect(output.length).toBe(examples * outputs);
  });
});

test("a kernel that exceeds the memory budget, and directions that do not fit, are refused", async () => {
  const model = testModels.find(({ name }) => name === "one position")!;
  const estimator = await openNtk(model, { memoryBudget: 1000 });
  await expect(estimator.measure(model.values, model.inputs)).rejects.toThrow(
    "ntk: memoryBudget: 1 MiB are not enough for a kernel of 6 examples × 3 outputs (1 MiB for its numbers alone); " +
      "raise it, take fewer examples, or sample outputs.",
  );
  const directions = new Float32Array(20);
  await expect(estimator.measure(model.values, model.inputs, { directions })).rejects.toThrow(
    "ntk: directions: expected S × 6 × 3 numbers, got 20.",
  );
});
