import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Builder, graph } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { checkOp } from "../testing/check-op.js";

test("Slice with random starts, ends and steps, forwards and backwards", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
      fc.constantFrom(-3, -2, -1, 1, 2, 3),
      (start, end, step) => {
        const build = (b: Builder, x: Value) => b.slice(x, 1, start, end, step);
        // An empty slice has no derivative to check.
        const length = build(new Builder(), new Builder().input("x", [2, 6])).shape[1];
        fc.pre(length !== 0);
        return checkOp({ build: (b, [x]) => build(b, x!), inputs: [{ shape: [2, 6] }] });
      },
    ),
    { numRuns: 40 },
  ));

/** Sums squares along an axis whose size is not a symbol of its own, as checkOp's weights of the outputs need. */
const squaresAlong = (b: Builder, y: Value, axis: number): Value => b.reduceSum(b.mul(y, y), [axis]);

describe("Slice along a symbolic axis", () => {
  test.each([
    [1, Number.MAX_SAFE_INTEGER],
    [0, -1],
    [-2, Number.MAX_SAFE_INTEGER],
    [2, -1],
  ])("from %d to %d", (start, end) =>
    checkOp({
      build: (b, [x]) => squaresAlong(b, b.slice(x!, 0, start, end), 0),
      inputs: [{ shape: [5, 2], declared: ["n", 2] }],
    }),
  );

  test("reversed", () =>
    checkOp({
      build: (b, [x]) => b.slice(x!, 0, -1, -Number.MAX_SAFE_INTEGER, -1),
      inputs: [{ shape: [4, 2], declared: [4, "n"] }],
    }));
});

describe("Gather", () => {
  const indices = { shape: [2, 3], values: [0, 3, 1, 3, -1, 2], type: "int64" as const };

  test.each([0, 1, 2])("along axis %d, with repeated and negative indices", (axis) =>
    checkOp({ build: (b, [x, i]) => b.gather(x!, i!, axis), inputs: [{ shape: [4, 4, 4] }, indices] }),
  );

  test("of one constant place, which pads instead of scattering", async () => {
    const places = [0, 2, -1];
    for (const place of places) {
      await checkOp({
        build: (b, [x]) => b.gather(x!, b.constant(place, { type: "int64" }), 1),
        inputs: [{ shape: [2, 4, 3], declared: ["batch", 4, 3] }],
      });
    }
    const b = new Builder();
    const x = b.input("x", ["batch", 4, 3]);
    const y = b.gather(x, b.constant(2, { type: "int64" }), 1);
    const [dx] = b.vjp([y], [y], [x]);
    expect(dx!.origin.kind === "node" && dx!.origin.node.op).toBe("Pad");
  });

  test("from a table with a symbolic number of rows chosen", () =>
    checkOp({
      build: (b, [x, i]) => b.gather(x!, i!),
      inputs: [{ shape: [4, 3] }, { ...indices, declared: ["batch", "length"] }],
    }));
});

describe("elements by index", () => {
  const table = { shape: [3, 4] };
  const at = { shape: [2, 4], values: [0, 1, 2, 0, 2, 1, 0, 0], type: "int64" as const };
  const once = { shape: [2, 4], values: [0, 1, 2, 0, 2, 0, 1, 1], type: "int64" as const };

  test("GatherElements", () =>
    checkOp({ build: (b, [x, i]) => b.node("GatherElements", [x!, i!], { axis: 0 }), inputs: [table, at] }));

  test.each(["none", "add"])("ScatterElements, reduction %s", (reduction) =>
    checkOp({
      build: (b, [x, i, u]) => b.node("ScatterElements", [x!, i!, u!], { axis: 0, reduction }),
      inputs: [table, reduction === "add" ? at : once, { shape: [2, 4] }],
    }),
  );

  test("GatherND and ScatterND", async () => {
    const places = { shape: [2, 2], values: [0, 1, 2, 3], type: "int64" as const };
    await checkOp({ build: (b, [x, i]) => b.node("GatherND", [x!, i!]), inputs: [table, places] });
    for (const reduction of ["none", "add"]) {
      await checkOp({
        build: (b, [x, i, u]) => b.node("ScatterND", [x!, i!, u!], { reduction }),
        inputs: [table, { shape: [2, 1], values: [2, 0], type: "int64" }, { shape: [2, 4] }],
      });
    }
  });

  test("a reduction without a rule is refused", () => {
    const build = () =>
      graph((b) => {
        const [x, i] = [b.input("x", [3]), b.input("i", [3], "int64")];
        return { y: b.node("ScatterElements", [x, i, x], { reduction: "mul" }) };
      });
    expect(build).toThrow(/expected reduction "none" or "add", not "mul"/);
  });
});

describe("Pad", () => {
  test.each(["constant", "reflect", "edge", "wrap"])("%s", (mode) =>
    checkOp({
      build: (b, [x]) => b.node("Pad", [x!, b.integers([1, 0, 2, 2]), null, null], { mode }),
      inputs: [{ shape: [3, 4] }],
    }),
  );

  test("with a value that is differentiated too, cutting on one side", () =>
    checkOp({
      build: (b, [x, value]) => squaresAlong(b, b.node("Pad", [x!, b.integers([1, -1, 0, 2]), value!]), 0),
      inputs: [{ shape: [3, 4], declared: ["n", 4] }, { shape: [] }],
    }));

  test("along given axes", () =>
    checkOp({
      build: (b, [x]) => b.node("Pad", [x!, b.integers([1, 2]), null, b.integers([-1])]),
      inputs: [{ shape: [2, 3], declared: ["n", 3] }],
    }));
});

test("Tile, also along a symbolic axis", () =>
  checkOp({
    build: (b, [x]) => squaresAlong(b, b.node("Tile", [x!, b.integers([2, 3])]), 0),
    inputs: [{ shape: [2, 3], declared: ["n", 3] }],
  }));
