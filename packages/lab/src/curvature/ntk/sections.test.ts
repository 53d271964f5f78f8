import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { cnn } from "../../models/cnn.js";
import type { Model } from "../../models/model.js";
import { resnet } from "../../models/resnet.js";
import { vit } from "../../models/vit.js";
import { openNtk } from "./ntk.js";
import { sectionsOf } from "./sections.js";
import { tapModel } from "./tapped-model.js";
import { denseJacobian, denseKernel, relativeError } from "./testing.js";

const inputShape = [8, 8, 1];
/** Their fewest sections, and a budget in bytes that is too small for the whole. */
const models: readonly (readonly [string, Model, number, number])[] = [
  ["cnn", cnn({ inputShape, outputs: 3, widths: [4, 4] }), 3, 60_000],
  ["resnet", resnet({ inputShape, outputs: 3, width: 4, groups: 2 }), 12, 1_000_000],
  ["vit", vit({ inputShape, outputs: 3, patch: 4, depth: 2, width: 8, heads: 2 }), 8, 100_000],
];
const examples = 5;
const inputs = Float32Array.from(createRandom("sections").normals(examples * 64));

describe.each(models)("%s", (name, model, count, memoryBudget) => {
  const params = model.initialise(createRandom(name));

  test("is cut where everything passes through one value, with a parameter in each section", () => {
    const { sections } = sectionsOf(model, tapModel(model, { x: inputShape }))!;
    expect(sections.length).toBeGreaterThanOrEqual(count);
    const named = sections.flatMap(({ tapped }) => [...tapped.layered.map(({ param }) => param), ...tapped.generic]);
    expect(named.map((param) => param.name).sort()).toEqual(model.params.map((param) => param.name).sort());
    for (const { tapped } of sections) expect(tapped.layered.length + tapped.generic.length).toBeGreaterThan(0);
  });

  // Float32 against float64: 5e-6 as in ntk.test.ts, four times that after the twenty-odd layers of the deepest of these.
  test("its kernel in sections is the dense one, whole and by parameter", async () => {
    const { jacobian, size, columns } = await denseJacobian(model, params, { x: tensorOf(model) });
    const expected = denseKernel(jacobian, size, examples);
    const scale = Math.max(...expected);
    const estimator = await openNtk(model, { memoryBudget });
    const seen: number[] = [];
    const { matrix, output } = await estimator.measure(params, inputs, { onProgress: (share) => seen.push(share) });
    expect(relativeError(matrix, expected)).toBeLessThan(2e-5);
    expect(output).toHaveLength(examples * 3);
    const { parts } = await estimator.measureParts(params, inputs);
    await estimator.dispose();
    for (const { param, matrix: part } of parts) {
      const { first, size: own } = columns.get(param)!;
      const wanted = denseKernel(jacobian, size, examples, { first, count: own });
      expect(Math.max(...part.map((x, k) => Math.abs(x - wanted[k]!))) / scale, param).toBeLessThan(2e-5);
    }
    expect(seen.length).toBeGreaterThan(1);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });
});

test("a measurement is stopped between two pieces of its work", async () => {
  const [, model, , memoryBudget] = models[0]!;
  const estimator = await openNtk(model, { memoryBudget });
  const controller = new AbortController();
  let calls = 0;
  const measured = estimator.measure(model.initialise(createRandom(0)), inputs, {
    signal: controller.signal,
    onProgress() {
      if (++calls === 3) controller.abort(new Error("enough"));
    },
  });
  await expect(measured).rejects.toThrow("enough");
  expect(calls).toBe(3);
  await estimator.dispose();
});

const tensorOf = ({ graph }: Model) => ({
  type: "float32" as const,
  shape: [examples, ...graph.inputs["x"]!.shape.slice(1).map(Number)],
  data: inputs,
});
