import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { producer } from "../ir/graph.js";
import { broadcastPair } from "../testing/arbitraries.js";
import { checkOp } from "../testing/check-op.js";

const runs = { numRuns: 6 };

describe.each(["Add", "Sub", "Mul"])("%s", (op) => {
  test("over random broadcasts", () =>
    fc.assert(
      fc.asyncProperty(broadcastPair, ([a, b]) =>
        checkOp({ build: (g, [x, y]) => g.node(op, [x!, y!]), inputs: [{ shape: a }, { shape: b }] }),
      ),
      runs,
    ));

  test("of a value with itself", () =>
    checkOp({ build: (g, [x]) => g.node(op, [x!, x!]), inputs: [{ shape: [2, 3] }] }));

  test("with one operand held fixed", () =>
    checkOp({ build: (g, [x, y]) => g.node(op, [x!, y!]), inputs: [{ shape: [3] }, { shape: [2, 3] }], wrt: [0] }));
});

test("Div over random broadcasts", () =>
  fc.assert(
    fc.asyncProperty(broadcastPair, ([a, b]) =>
      checkOp({ build: (g, [x, y]) => g.div(x!, y!), inputs: [{ shape: a }, { shape: b, low: 0.5, high: 2 }] }),
    ),
    runs,
  ));

describe("Pow", () => {
  test("over random broadcasts, base and exponent both varying", () =>
    fc.assert(
      fc.asyncProperty(broadcastPair, ([a, b]) =>
        checkOp({
          build: (g, [x, y]) => g.pow(x!, y!),
          inputs: [
            { shape: a, low: 0.4, high: 2 },
            { shape: b, low: -1, high: 2 },
          ],
        }),
      ),
      runs,
    ));

  test.each([3, 2, 1, 0.5, -1])("with the constant exponent %d", (power) =>
    checkOp({ build: (g, [x]) => g.pow(x!, power), inputs: [{ shape: [5], low: 0.4, high: 2 }] }),
  );

  test("of negative numbers to a whole power", () =>
    checkOp({ build: (g, [x]) => g.pow(x!, 3), inputs: [{ shape: [4], values: [-2, -0.5, 0.3, 1.5] }] }));
});

describe.each(["Max", "Min"])("%s", (op) => {
  test("of three operands that broadcast", () =>
    checkOp({ build: (g, xs) => g.node(op, xs), inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }] }));

  test("gives tied operands equal parts", () => {
    // At a tie there is no derivative to compare with; the parts must add up to the whole.
    const g = new Builder();
    const x = g.input("x", [2], "float64");
    const dy = g.input("dy", [2], "float64");
    const [dx] = g.vjp([g.node(op, [x, x])], [dy], [x]);
    expect(dx!.shape).toEqual([2]);
  });
});

test("Sum and Mean of several operands", async () => {
  const inputs = [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }];
  await checkOp({ build: (g, xs) => g.node("Sum", xs), inputs });
  await checkOp({ build: (g, xs) => g.node("Mean", xs), inputs });
});

test("Mod keeps the quotient fixed", () =>
  checkOp({
    build: (g, [x, y]) => g.node("Mod", [x!, y!], { fmod: 1 }),
    inputs: [
      { shape: [3], values: [5.3, 2.2, 7.9] },
      { shape: [3], values: [2, 1.5, 3] },
    ],
  }));

test("known sizes are computed while building", () => {
  const g = new Builder();
  const x = g.input("x", ["n", 4, 6]);
  const [n, rows] = [g.node("Shape", [x], { start: 0, end: 1 }), g.node("Shape", [x], { start: 1, end: 2 })];
  expect(g.add(g.mul(n, 3), rows).content).toEqual(["3*n+4"]);
  expect(g.div(g.mul(n, rows), rows).content).toEqual(["n"]);
  expect(g.sub(n, n).content).toEqual([0]);
  expect(producer(g.mul(rows, rows))).toBeNull();
});
