import { describe, expect, test } from "vitest";
import { ShapeError } from "../ir/errors.js";
import { producer } from "../ir/graph.js";
import { numbersOf } from "../ir/tensor.js";
import { nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { Builder, graph } from "./builder.js";

const opsOf = (...values: Parameters<typeof nodesReaching>[0] extends Iterable<infer V> ? V[] : never): string[] =>
  nodesReaching(values).map(({ op }) => op);

describe("Builder", () => {
  test("makes equal nodes once", () => {
    const b = new Builder();
    const x = b.input("x", [2, 3]);
    expect(b.tanh(b.add(x, 1))).toBe(b.tanh(b.add(x, 1)));
    expect(b.transpose(x, [1, 0])).not.toBe(b.transpose(x, [0, 1]));
  });

  test("leaves out what nobody needs: dead code does not exist", () => {
    const model = graph((b) => {
      const x = b.input("x", [2]);
      b.exp(x);
      return { y: b.neg(x) };
    });
    expect(opsOf(model.outputs.y!)).toEqual(["Neg"]);
  });

  test("simplifies what differentiation leaves behind", () => {
    const b = new Builder();
    const x = b.input("x", ["n", 3]);
    expect(b.mul(x, 1)).toBe(x);
    expect(b.add(x, 0)).toBe(x);
    expect(b.neg(b.neg(x))).toBe(x);
    expect(b.mul(b.mul(x, 4), 0.25)).toBe(x);
    expect(b.transpose(b.transpose(x))).toBe(x);
    expect(b.reshape(b.reshape(x, ["3*n"]), ["n", 3])).toBe(x);
    expect(opsOf(b.gemm(b.transpose(x), x))).toEqual(["Gemm"]);
  });

  test("uses a repeated operand unrepeated", () => {
    const b = new Builder();
    const x = b.input("x", ["n", 3]);
    const repeated = b.expandTo(b.input("s", []), ["n", 3]);
    expect(opsOf(b.mul(repeated, x))).toEqual(["Mul"]);
    expect(producer(b.mul(b.exp(repeated), 2))!.op).toBe("Expand");
  });

  test("folds the shape arithmetic of dynamic exports, the batch staying symbolic", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 4, 6]);
    // x.reshape(x.shape[0], -1) as PyTorch exports it.
    const batch = b.unsqueeze(b.gather(b.node("Shape", [x]), b.constant(0, { type: "int64" })), [0]);
    const flat = b.node("Reshape", [x, b.concat([batch, b.integers([-1])], 0)]);
    expect(flat.shape).toEqual(["batch", 24]);
    expect(opsOf(flat)).toEqual(["Reshape"]);
  });

  test("computes at run time the sizes that cannot be copied or worked out", async () => {
    const squares = graph((b) => {
      const x = b.input("x", ["m", 2]);
      const rows = b.expandTo(b.unsqueeze(x, [0]), ["m", "m", 2]);
      const flat = b.reshape(rows, ["m*m", 2]);
      return { flat, back: b.reshape(flat, ["m", "m", 2]), sum: b.reshape(flat, ["m", 2, "m"]) };
    });
    const session = await compile(squares);
    const { flat, back, sum } = await session.run({ x: [1, 2, 3, 4, 5, 6] });
    await session.dispose();
    expect([flat!.shape, back!.shape, sum!.shape]).toEqual([
      [9, 2],
      [3, 3, 2],
      [3, 2, 3],
    ]);
    expect(numbersOf(back!)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
  });

  test("refuses what an op does not take, and says where", () => {
    const b = new Builder();
    const x = b.input("x", [2, 3]);
    const wrong = () => b.scope("dense2", () => b.gemm(x, x));
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(
      'Gemm "dense2/Gemm": expected (m, k) by (k, n) of one type, got float32 [2, 3], float32 [2, 3], none.',
    );
    expect(() => b.input("x", [1])).toThrow('input: "x" is declared already.');
    expect(() => b.input("y", [-1])).toThrow("expected sizes or symbol names, got dimension -1");
    expect(() => b.node("Softmax", [x], { axes: 1 })).toThrow('expected attributes among axis, not "axes"');
    expect(() => b.node("Frobnicate", [x])).toThrow("There is no rule for the operator Frobnicate.");
  });

  test("call binds a graph's symbolic sizes to those of the values given", () => {
    const layer = graph((b) => ({ y: b.dense(b.input("x", ["batch", 3]), b.input("w", [3, 2])) }));
    const b = new Builder();
    const inputs = { x: b.input("x", [5, 3]), w: b.input("w", [3, 2]) };
    expect(b.call(layer, inputs).y!.shape).toEqual([5, 2]);
    expect(() => b.call(layer, { x: inputs.x })).toThrow('call: graph "graph" needs an input "w".');
  });
});

describe("loop", () => {
  test("carries state, collects values, and stops early", async () => {
    const powers = graph((b) => {
      const limit = b.input("limit", []);
      const { state, scan } = b.loop({
        steps: 20,
        state: { x: b.constant(1) },
        body: ({ step, state: { x } }) => {
          const doubled = b.mul(x, 2);
          return { state: { x: doubled }, scan: { before: x, step }, proceed: b.less(doubled, limit) };
        },
      });
      return { last: state.x, ...scan };
    });
    const session = await compile(powers);
    const { last, before, step } = await session.run({ limit: 30 });
    await session.dispose();
    expect(last!.data[0]).toBe(32);
    expect(numbersOf(before!)).toEqual([1, 2, 4, 8, 16]);
    expect(numbersOf(step!)).toEqual([0, 1, 2, 3, 4]);
  });

  test("computes once, outside, what depends on neither step nor state", () => {
    const b = new Builder();
    const x = b.input("x", [3]);
    const { scan } = b.loop({
      steps: 4,
      state: {},
      body: ({ step }) => ({ state: {}, scan: { y: b.mul(b.exp(x), b.cast(step, "float32")) } }),
    });
    expect(opsOf(scan.y)).toEqual(["Exp", "Loop"]);
    expect(scan.y.shape).toEqual([4, 3]);
  });

  test("refuses a state that changes shape", () => {
    const b = new Builder();
    const x = b.input("x", [3]);
    expect(() =>
      b.loop({ steps: 2, state: { x }, body: ({ state }) => ({ state: { x: b.unsqueeze(state.x, [0]) } }) }),
    ).toThrow('loop: state "x" must stay float32 [3], the body makes it float32 [1, 3].');
  });
});
