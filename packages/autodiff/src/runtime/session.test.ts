import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { numbersOf, scalarOf, tensor, type TypedArray } from "../ir/tensor.js";
import { compile, openSessions, type CompileOptions } from "./session.js";

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

  test("writes results into memory that the caller keeps, and gives its own back at once", async () => {
    const session = await compile(
      graph((b) => {
        const y = b.mul(b.input("x", ["n"]), 2);
        return { y, again: y };
      }),
    );
    const x = new Float32Array(2 ** 18).fill(3);
    const kept = new Float32Array(x.length);
    const both = await session.run({ x }, { into: { y: kept } });
    expect(both["y"]!.data).toBe(kept);
    expect(both["again"]!.data).toEqual(kept); // the same value, in its own memory
    expect(kept.every((value) => value === 6)).toBe(true);
    // In place: the input is read before the result is written.
    await session.run({ x: kept }, { outputs: ["y"], into: { y: kept } });
    expect(kept[0]).toBe(12);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 40; i++) await session.run({ x }, { outputs: ["y"], into: { y: kept } });
    // A megabyte a run; the collector would let some sixty of them come together.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 2 ** 20);
    const refused = (into: Record<string, TypedArray>) => session.run({ x: [1, 2] }, { outputs: ["y"], into });
    await expect(refused({ y: new Float64Array(2) })).rejects.toThrow(
      'run: into: output "y", float32 [2], fills 2 elements of a Float32Array; got 2 of a Float64Array.',
    );
    await expect(refused({ y: new Float32Array(3) })).rejects.toThrow("got 3 of a Float32Array.");
    await expect(refused({ again: kept })).rejects.toThrow('run: into: no output "again" is fetched, only y.');
    await session.dispose();
  });

  test("refuses devices and precisions it does not know, naming those it does", async () => {
    const unknown = (options: unknown) => compile(scaled(2), options as CompileOptions);
    await expect(unknown({ device: "cuda" })).rejects.toThrow(
      new RangeError('compile: device must be "cpu" or "webgpu", got "cuda".'),
    );
    await expect(unknown({ precision: "float16" })).rejects.toThrow(
      new RangeError('compile: precision must be "float32" or "float64", got "float16".'),
    );
  });

  test("computes on WebGPU, or says that there is none", async () => {
    const before = openSessions();
    const opened = await compile(scaled(2), { device: "webgpu" }).catch((error: unknown) => error);
    if (opened instanceof Error) {
      expect(opened).toEqual(
        new RangeError('compile: device "webgpu" is not available here: there is no WebGPU adapter. Use device "cpu".'),
      );
    } else {
      const session = opened as Awaited<ReturnType<typeof compile>>;
      expect(numbersOf((await session.run({ x: [1, 2] }))["y"]!)).toEqual([2, 4]);
      await session.dispose();
    }
    expect(openSessions()).toBe(before);
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

describe("memory", () => {
  const megabytes = (): number => process.memoryUsage().rss / 2 ** 20;

  test("does not grow over 10⁵ runs", async () => {
    const session = await compile(scaled(2));
    const x = new Float32Array(512);
    const runs = async (count: number) => {
      for (let i = 0; i < count; i++) await session.run({ x });
    };
    await runs(20_000); // the heap finds its size
    const before = megabytes();
    await runs(100_000);
    const grown = megabytes() - before;
    await session.dispose();
    // Each run makes 2 kB of outputs and a few objects: keeping a fifth of that would grow by 40 MB. What is left is the
    // collector's own coming and going.
    expect(grown).toBeLessThan(40);
  }, 240_000);

  test("does not grow as sessions are made and disposed", async () => {
    const cycle = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const session = await compile(scaled(i));
        await session.run({ x: [1, 2] });
        await session.dispose();
      }
    };
    await cycle(50);
    const before = megabytes();
    await cycle(200);
    // An engine session of this graph takes half a megabyte: 200 kept ones would be 100.
    expect(megabytes() - before).toBeLessThan(40);
    expect(openSessions()).toBe(0);
  }, 240_000);
});
