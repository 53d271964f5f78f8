import { describe, test } from "vitest";
import { checkOp } from "../testing/check-op.js";

describe.each(["Softmax", "LogSoftmax"])("%s", (op) => {
  test.each([-1, 0, 1])("along axis %d", (axis) =>
    checkOp({ build: (g, [x]) => g.node(op, [x!], { axis }), inputs: [{ shape: [2, 4, 3], low: -2, high: 2 }] }),
  );

  test("with a symbolic batch", () =>
    checkOp({ build: (g, [x]) => g.node(op, [x!]), inputs: [{ shape: [3, 4], declared: ["batch", 4] }] }));
});

describe("cross-entropy", () => {
  const logits = { shape: [3, 4], low: -2, high: 2, declared: ["batch", 4] };

  test("of labels", () =>
    checkOp({
      build: (g, [z, labels]) => g.crossEntropy(z!, labels!),
      inputs: [logits, { shape: [3], values: [2, 0, 3], type: "int64", declared: ["batch"] }],
    }));

  test("of probabilities, which vary too", () =>
    checkOp({
      build: (g, [z, p]) => g.crossEntropy(z!, p!),
      inputs: [logits, { shape: [3, 4], low: 0, high: 1, declared: ["batch", 4] }],
    }));
});
