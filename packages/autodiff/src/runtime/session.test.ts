import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { numbersOf, scalarOf, tensor } from "../ir/tensor.js";
import { compile, openSessions } from "./session.js";

const scaled = (factor: number) =>
  graph((b) => {
    const x = b.input("x", ["n", 2]);
    b.input("unused", [3]);
    return { y: b.mul(x, factor), sum: b.reduceSum(x) };
  });

describe("compile and run", () => {
  test("gives arrays their shapes, and fetches what is asked for", async () => {
    const session = await compile(scaled(2));
    expect(session.signature.inputs).toEqual({ x: { type: "float32", shape: ["n", 2] } });
    const { y, sum } = await session.run({ x: [1, 2, 3, 4] });
    expect(y).toEqual({ type: "float32", shape: [2, 2], data: Float32Array.of(2, 4, 6, 8) });
    expect(scalarOf(sum!)).toBe(10);
    expect(Object.keys(await session.run({ x: tensor([5, 6], [1, 2]) }, { outputs: ["sum"] }))).toEqual(["sum"]);
    await session.dispose();
  });

  test("refuses inputs that do not fit", async () => {
    const session = await compile(scaled(2));
    await expect(session.run({})).rejects.toThrow('run: input "x" (float32 [n, 2]) is missing.');
    await expect(session.run({ x: [1, 2, 3] })).rejects.toThrow(
      'run: input "x" of shape [n, 2] cannot be filled by 3 elements.',
    );
    await expect(session.run({ x: tensor([1, 2, 3], [1, 3]) })).rejects.toThrow(
      'run: input "x" must be float32 [n, 2], got float32 [1, 3].',
    );
    await expect(session.run({ x: tensor([1, 2], [1, 2], "float64") })).rejects.toThrow("got float64 [1, 2].");
    await session.dispose();
    await expect(compile(scaled(2), { threads: 0 })).rejects.toThrow(
      "compile: threads must be a whole number from 1 up, got 0.",
    );
  });

  test("computes in float64 on request, from the numbers the graph was built with", async () => {
    const third = graph((b) => ({ y: b.mul(b.input("x", []), 1 / 3) }));
    const session = await compile(third, { precision: "float64" });
    const { y } = await session.run({ x: 1 });
    expect(y).toEqual({ type: "float64", shape: [], data: Float64Array.of(1 / 3) });
    await session.dispose();
  });

  test("an output may be an input, a constant, or the same value twice", async () => {
    const odd = graph((b) => {
      const x = b.input("x", [2]);
      const y = b.exp(x);
      return { x, y, again: y, one: b.constant(1) };
    });
    const session = await compile(odd);
    const result = await session.run({ x: [0, 1] });
    await session.dispose();
    expect(result.again).toEqual(result.y);
    expect(numbersOf(result.x!)).toEqual([0, 1]);
    expect(scalarOf(result.one!)).toBe(1);
  });
});

describe("dispose", () => {
  test("equal graphs share an engine session until the last of them goes", async () => {
    const before = openSessions();
    const [first, second, other] = await Promise.all([compile(scaled(3)), compile(scaled(3)), compile(scaled(4))]);
    expect(openSessions()).toBe(before + 2);
    await first.dispose();
    await first.dispose();
    expect((await second.run({ x: [1, 1] })).y!.data).toEqual(Float32Array.of(3, 3));
    await expect(first.run({ x: [1, 1] })).rejects.toThrow('run: the session of "graph" is disposed.');
    await Promise.all([second.dispose(), other.dispose()]);
    expect(openSessions()).toBe(before);
  });

  test("a graph the engine refuses leaves nothing behind", async () => {
    const before = openSessions();
    // The engine has no exponential of whole numbers.
    const refused = graph((b) => ({ y: b.exp(b.input("x", [2], "int64")) }));
    await expect(compile(refused)).rejects.toThrow("Exp");
    expect(openSessions()).toBe(before);
  });
});
