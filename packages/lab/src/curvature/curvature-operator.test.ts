import { createRandom, eigvalsh } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { mlpCases } from "../fixtures/networks.js";
import { objective } from "../objectives/objective.js";
import { openCurvature } from "./curvature-operator.js";
import { hutchPlusPlus, hutchinson } from "./trace.js";
import { curvatureCases, denseCurvature } from "./testing.js";
import { topEigenpairs } from "./top-eigenpairs.js";

// Float32 products of networks a few layers deep: rounding of 6e-8, some hundred of them in a sum.
const single = 1e-5;

const relative = (value: number, expected: number) => Math.abs(value / expected - 1);

describe.each(curvatureCases())("$name", (item) => {
  const { model, loss, params, split } = item;
  const graph = objective(model, loss);

  test.each(["hessian", "gaussNewton"] as const)(
    "the largest eigenvalues of the %s are the dense ones",
    async (matrix) => {
      const { dense, size } = await denseCurvature(item, matrix);
      const expected = eigvalsh(dense, size).reverse();
      for (const blockExamples of [1024, 5]) {
        const operator = await openCurvature(graph, model.params, { matrix, blockExamples });
        const found = await topEigenpairs(await operator.at(params, split), {
          count: 3,
          random: createRandom(1),
          tolerance: 1e-5,
        });
        await operator.dispose();
        expect(found.converged).toBe(true);
        for (let k = 0; k < 3; k++)
          expect(Math.abs(found.values[k]! - expected[k]!)).toBeLessThan(single * expected[0]!);
      }
    },
  );

  test("kept from product to product, or made anew for want of memory: the same numbers", async () => {
    const roomy = await openCurvature(graph, model.params);
    const whole = roomy.plan(split);
    expect(whole).toMatchObject({ blocks: 1, kept: true });
    const tight = await openCurvature(graph, model.params, { memoryBudget: whole.bytes });
    expect(tight.plan(split)).toMatchObject({ blocks: 1, kept: false });
    const vector = createRandom(3).normals(roomy.size);
    const expected = (await roomy.product(params, split, vector)).slice();
    expect([...(await tight.product(params, split, vector))]).toEqual([...expected]);
    await Promise.all([roomy.dispose(), tight.dispose()]);
  });
});

describe.each(mlpCases())("reference network, $title", ({ model, loss, params, split, reference }) => {
  test("largest eigenvalues and trace of the Gauss–Newton matrix", async () => {
    const operator = await openCurvature(objective(model, loss), model.params, { matrix: "gaussNewton" });
    const at = await operator.at(params, split);
    const count = reference.gaussNewtonTop.length;
    const { values } = await topEigenpairs(at, { count, random: createRandom(1), tolerance: 1e-6 });
    for (let k = 0; k < count; k++) {
      expect(Math.abs(values[k]! - reference.gaussNewtonTop[k]!)).toBeLessThan(single * reference.gaussNewtonTop[0]!);
    }
    const estimates = [
      await hutchinson(at, { products: 40, random: createRandom(2) }),
      await hutchPlusPlus(at, { products: 40, random: createRandom(2) }),
    ];
    for (const { value, standardError } of estimates) {
      expect(Math.abs(value - reference.gaussNewtonTrace)).toBeLessThan(
        4 * standardError + single * reference.gaussNewtonTrace,
      );
    }
    await operator.dispose();
  });

  test("largest eigenvalues of the Hessian", async () => {
    const operator = await openCurvature(objective(model, loss), model.params);
    const count = reference.hessianTop.length;
    const found = await topEigenpairs(await operator.at(params, split), {
      count,
      random: createRandom(1),
      tolerance: 1e-6,
    });
    for (let k = 0; k < count; k++) {
      expect(Math.abs(found.values[k]! - reference.hessianTop[k]!)).toBeLessThan(single * reference.hessianTop[0]!);
    }
    await operator.dispose();
  });
});

describe("memory and bad input", () => {
  const [item] = curvatureCases();
  const { model, loss, params, split } = item!;
  const graph = objective(model, loss);

  test("blocks shrink with the budget, and one example is the least", async () => {
    const roomy = await openCurvature(graph, model.params);
    const one = roomy.plan({ examples: 1 }).bytes;
    await roomy.dispose();
    const tight = await openCurvature(graph, model.params, { memoryBudget: 4 * one });
    const { examples, bytes, blocks } = tight.plan(split);
    expect(bytes).toBeLessThanOrEqual(4 * one);
    expect(examples).toBeLessThan(split.examples);
    expect(blocks).toBe(Math.ceil(split.examples / examples));
    await tight.dispose();
    const none = await openCurvature(graph, model.params, { memoryBudget: one - 1 });
    expect(() => none.plan(split)).toThrow(
      `curvature: memoryBudget: a product over one example takes ${one} bytes, the budget is ${one - 1}.`,
    );
    await none.dispose();
  });

  test("weights that are not finite are named", async () => {
    const operator = await openCurvature(graph, model.params);
    const weights = params["conv2.weight"]!.slice();
    weights[7] = NaN;
    await expect(operator.at({ ...params, "conv2.weight": weights }, split)).rejects.toThrow('"conv2.weight"');
    await operator.dispose();
  });

  test("a budget of nothing", async () => {
    await expect(openCurvature(graph, model.params, { memoryBudget: 0 })).rejects.toThrow(
      "memoryBudget: expected a number above 0, got 0",
    );
  });

  test("a warm start on converged vectors needs a few products", async () => {
    const operator = await openCurvature(graph, model.params, { matrix: "gaussNewton" });
    const at = await operator.at(params, split);
    const cold = await topEigenpairs(at, { random: createRandom(1) });
    const warm = await topEigenpairs(at, { random: createRandom(2), start: cold.vectors });
    expect(relative(warm.values[0]!, cold.values[0]!)).toBeLessThan(1e-5);
    expect(warm.products).toBeLessThan(cold.products);
    await operator.dispose();
  });
});
