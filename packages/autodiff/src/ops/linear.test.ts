import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { broadcastPair } from "../testing/arbitraries.js";
import { checkOp } from "../testing/check-op.js";

const size = fc.integer({ min: 1, max: 4 });

describe("MatMul", () => {
  test("over random sizes and batches that broadcast", () =>
    fc.assert(
      fc.asyncProperty(broadcastPair, size, size, size, ([batchA, batchB], m, k, n) =>
        checkOp({
          build: (g, [a, b]) => g.matMul(a!, b!),
          inputs: [{ shape: [...batchA, m, k] }, { shape: [...batchB, k, n] }],
        }),
      ),
      { numRuns: 8 },
    ));

  test.each([
    ["a vector by a matrix", [3], [3, 2]],
    ["a matrix by a vector", [2, 3], [3]],
    ["two vectors", [3], [3]],
    ["a vector by a stack", [3], [2, 3, 4]],
    ["a stack by a matrix", [2, 4, 3], [3, 5]],
  ])("of %s", (_, a, b) => checkOp({ build: (g, [x, y]) => g.matMul(x!, y!), inputs: [{ shape: a }, { shape: b }] }));

  test("with a symbolic batch", () =>
    checkOp({
      build: (g, [x, y]) => g.matMul(x!, y!),
      inputs: [{ shape: [2, 4, 3], declared: ["batch", 4, 3] }, { shape: [3, 5] }],
    }));

  test("with two symbolic axes", () =>
    checkOp({
      build: (g, [x, y]) => g.matMul(x!, y!),
      inputs: [{ shape: [2, 4, 3], declared: ["batch", "time", 3] }, { shape: [3, 5] }],
    }));

  test("of a value with itself", () => checkOp({ build: (g, [x]) => g.matMul(x!, x!), inputs: [{ shape: [3, 3] }] }));

  test("refuses sizes that do not match", () => {
    const g = new Builder();
    const [a, b] = [g.input("a", [2, 3]), g.input("b", [4, 2])];
    expect(() => g.matMul(a, b)).toThrow(
      "MatMul: expected (…, m, k) by (…, k, n) with batch axes equal or 1, got float32 [2, 3], float32 [4, 2].",
    );
  });
});

describe("Gemm", () => {
  const flag = fc.constantFrom(0, 1);
  const c = fc.constantFrom<(m: number, n: number) => number[] | null>(
    (m, n) => [m, n],
    (_, n) => [n],
    (m) => [m, 1],
    () => [],
    () => null,
  );

  test("over random sizes, transposes, scales and shapes of C", () =>
    fc.assert(
      fc.asyncProperty(size, size, size, flag, flag, c, (m, k, n, transA, transB, shapeOf) => {
        const shape = shapeOf(m, n);
        return checkOp({
          build: (g, [a, b, bias]) => g.gemm(a!, b!, bias ?? null, { alpha: 1.5, beta: -0.5, transA, transB }),
          inputs: [
            { shape: transA ? [k, m] : [m, k] },
            { shape: transB ? [n, k] : [k, n] },
            ...(shape ? [{ shape }] : []),
          ],
        });
      }),
      { numRuns: 12 },
    ));

  test("with any one operand varying alone", async () => {
    const inputs = [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [4] }];
    for (const i of [0, 1, 2]) await checkOp({ build: (g, [a, b, bias]) => g.gemm(a!, b!, bias), inputs, wrt: [i] });
  });

  test("refuses a C that does not broadcast", () => {
    const g = new Builder();
    expect(() => g.gemm(g.input("a", [2, 3]), g.input("b", [3, 4]), g.input("c", [3]))).toThrow(
      "expected C to broadcast to [2, 4]",
    );
  });
});
