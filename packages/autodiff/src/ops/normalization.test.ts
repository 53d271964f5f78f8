import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { checkOp } from "../testing/check-op.js";

// Derivatives against central differences in float64; the float32 kernel against the composition that stands in for it.
describe("LayerNormalization", () => {
  const inputs = [{ shape: [2, 3, 4], declared: ["batch", 3, 4] }, { shape: [4], low: 0.5, high: 1.5 }, { shape: [4] }];

  test("over the last axis, with and without bias", async () => {
    await checkOp({ build: (b, [x, s, c]) => b.node("LayerNormalization", [x!, s!, c!]), inputs });
    await checkOp({ build: (b, [x, s]) => b.node("LayerNormalization", [x!, s!]), inputs: inputs.slice(0, 2) });
  });

  test("over two axes, with another epsilon", () =>
    checkOp({
      build: (b, [x, s, c]) => b.node("LayerNormalization", [x!, s!, c!], { axis: 1, epsilon: 0.1 }),
      inputs: [{ shape: [2, 3, 4] }, { shape: [3, 4] }, { shape: [3, 4] }],
    }));

  test("its mean and inverse deviation, as outputs of their own", () =>
    checkOp({ build: (b, [x, s, c]) => b.nodeOutputs("LayerNormalization", [x!, s!, c!]), inputs }));
});

describe("BatchNormalization with running statistics", () => {
  const inputs = [
    { shape: [3, 2, 2, 2], declared: ["batch", 2, 2, 2] },
    { shape: [2], low: 0.5, high: 1.5 },
    { shape: [2] },
    { shape: [2] },
    { shape: [2], low: 0.5, high: 1.5 },
  ];

  test("by every input, the statistics included", () =>
    checkOp({ build: (b, x) => b.node("BatchNormalization", x, { epsilon: 1e-3 }), inputs }));

  test("of a matrix", () =>
    checkOp({ build: (b, x) => b.node("BatchNormalization", x), inputs: [{ shape: [3, 2] }, ...inputs.slice(1)] }));

  test("refuses batch statistics, which couple examples", () => {
    const build = () =>
      graph((b) => {
        const vector = (name: string) => b.input(name, [2]);
        const others = ["s", "c", "m", "v"].map(vector);
        return { y: b.node("BatchNormalization", [b.input("x", ["n", 2]), ...others], { training_mode: 1 }) };
      });
    expect(build).toThrow(/batch statistics couple examples/);
  });
});

describe("normalisations composed of LayerNormalization", () => {
  const x = { shape: [2, 4, 3], declared: ["batch", 4, 3] };
  const perChannel = [{ shape: [4], low: 0.5, high: 1.5 }, { shape: [4] }];

  test("GroupNormalization", () =>
    checkOp({ build: (b, v) => b.node("GroupNormalization", v, { num_groups: 2 }), inputs: [x, ...perChannel] }));

  test("InstanceNormalization", () =>
    checkOp({ build: (b, v) => b.node("InstanceNormalization", v, { epsilon: 1e-2 }), inputs: [x, ...perChannel] }));

  test("RMSNormalization", () =>
    checkOp({ build: (b, v) => b.node("RMSNormalization", v), inputs: [x, { shape: [3] }] }));
});
