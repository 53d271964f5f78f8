import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import type { Graph } from "../ir/graph.js";
import { numbersOf, tensor, type Tensor } from "../ir/tensor.js";
import { compile } from "../runtime/session.js";
import { relativeError } from "../testing/linear-algebra.js";
import { testRandom } from "../testing/random.js";
import { vjp } from "./graphs.js";
import { parameterUses } from "./parameter-uses.js";
import { taps } from "./taps.js";

const run = async (of: Graph, inputs: Record<string, Tensor | Float64Array>) => {
  const session = await compile(of, { precision: "float64" });
  try {
    return await session.run(inputs);
  } finally {
    await session.dispose();
  }
};

/** A token model: an embedding, a layer over positions, a scale, an average over positions, a layer with W [out, in]. */
const TIME = 3;
const model = graph((b) => {
  const tokens = b.input("tokens", ["batch", TIME], "int64");
  const table = b.input("table", [7, 4]);
  const [w1, b1, gain, w2, b2] = [
    b.input("W1", [4, 5]),
    b.input("b1", [5]),
    b.input("gain", [5]),
    b.input("W2", [2, 5]),
    b.input("b2", [2]),
  ];
  const hidden = b.mul(b.tanh(b.dense(b.gather(table, tokens), w1, b1)), gain);
  return { output: b.dense(b.reduceMean(hidden, [1]), w2, b2, { transposeW: true }) };
});
const params = ["table", "W1", "b1", "gain", "W2", "b2"];
const random = testRandom(5);
const EXAMPLES = 4;
const feeds = {
  tokens: tensor([0, 1, 2, 6, 6, 3, 4, 0, 5, 2, 2, 2], [EXAMPLES, TIME], "int64"),
  table: random.array(28),
  W1: random.array(20),
  b1: random.array(5),
  gain: random.array(5),
  W2: random.array(10),
  b2: random.array(2),
};

describe("parameterUses", () => {
  test("names the layer of every parameter", () => {
    const uses = parameterUses(model, { of: "output", params });
    expect(uses.map(({ param, kind }) => `${param}: ${kind}`)).toEqual([
      "table: embedding",
      "W1: dense",
      "b1: bias",
      "gain: scale",
      "W2: dense",
      "b2: bias",
    ]);
    expect(uses.flatMap((use) => ("transposed" in use ? [use.transposed] : []))).toEqual([false, true]);
  });

  test("a parameter used twice has two uses; one that is not used, none; one used otherwise, another", () => {
    const tied = graph((b) => {
      const [x, w, square] = [b.input("x", ["batch", 3]), b.input("W", [3, 3]), b.input("S", [3, 3])];
      b.input("idle", [2]);
      return { output: b.dense(b.tanh(b.dense(x, w)), b.matMul(square, w)) };
    });
    expect(parameterUses(tied, { of: "output", params: ["W", "S", "idle"] }).map(({ kind }) => kind)).toEqual([
      "dense",
      "dense",
      "other",
    ]);
  });
});

describe("taps", () => {
  // Products of a few hundred float64 numbers of order 1: 1e-13.
  test("gives the gradient of every output of every example, layer by layer", async () => {
    const { graph: tapped, uses } = taps(model, { of: "output", params });
    const results = await run(tapped, feeds);
    const gradient = vjp(model, { of: "output", wrt: params });
    for (let c = 0; c < 2; c++) {
      // Of output c, summed over examples: what the taps give summed likewise.
      const seed = Float64Array.from({ length: EXAMPLES * 2 }, (_, i) => Number(i % 2 === c));
      const expected = await run(gradient, { ...feeds, "cotangent/output": seed });
      for (const use of uses) {
        const d = numbersOf(results[use.cotangents]!);
        const cotangents = d.slice((c * d.length) / 2, ((c + 1) * d.length) / 2);
        const a = use.activations === undefined ? null : numbersOf(results[use.activations]!);
        const width = results[use.cotangents]!.shape.at(-1)!;
        expect(
          relativeError(assemble(use, a, cotangents, width), numbersOf(expected[`gradient/${use.param}`]!)),
          `${use.param}, output ${c}`,
        ).toBeLessThan(1e-13);
      }
    }
  });

  test("takes cotangents that are given, and those of a scalar", async () => {
    const given = taps(model, { of: "output", params: ["W2"], cotangents: "given" });
    const seed = random.array(EXAMPLES * 2);
    const results = await run(given.graph, { ...feeds, "cotangent/output": seed });
    expect(numbersOf(results["cotangents/W2"]!)).toEqual(Array.from(seed));
    const scalar = graph((b) => ({
      loss: b.reduceSum(
        b.call(
          model,
          Object.fromEntries(
            Object.entries(model.inputs).map(([name, { shape, type }]) => [name, b.input(name, shape, type)]),
          ),
        ).output!,
      ),
    }));
    const ones = await run(taps(scalar, { of: "loss", params: ["W2"], cotangents: "given" }).graph, feeds);
    expect(numbersOf(ones["cotangents/W2"]!)).toEqual(new Array(EXAMPLES * 2).fill(1));
  });

  test("wants a batch that is symbolic", () => {
    const fixed = graph((b) => ({ output: b.dense(b.input("x", [4, 3]), b.input("W", [3, 2])) }));
    expect(() => taps(fixed, { of: "output", params: ["W"] })).toThrow(
      "taps: expected an output of shape [batch, C] with a symbolic batch and a known number of outputs C, got [4, 2].",
    );
  });
});

/** The gradient that a layer's rule makes of activations and cotangents, row by row. */
function assemble(
  use: { kind: string; transposed?: boolean },
  a: readonly number[] | null,
  d: readonly number[],
  width: number,
): number[] {
  const rows = d.length / width;
  const inner = a === null ? 1 : a.length / rows;
  switch (use.kind) {
    case "dense": {
      const inside = use.transposed ? inner : width;
      return Array.from({ length: inner * width }, (_, k) => {
        const [i, j] = [Math.floor(k / inside), k % inside];
        const [input, output] = use.transposed ? [j, i] : [i, j];
        return Array.from({ length: rows }, (_, r) => a![r * inner + input]! * d[r * width + output]!).reduce(
          (sum, x) => sum + x,
          0,
        );
      });
    }
    case "embedding": {
      const gradient = new Array<number>(7 * width).fill(0);
      a!.forEach((row, r) =>
        Array.from({ length: width }, (_, j) => (gradient[row * width + j]! += d[r * width + j]!)),
      );
      return gradient;
    }
    default:
      return Array.from({ length: width }, (_, j) =>
        Array.from({ length: rows }, (_, r) => (a === null ? 1 : a[r * width + j]!) * d[r * width + j]!).reduce(
          (sum, x) => sum + x,
          0,
        ),
      );
  }
}
