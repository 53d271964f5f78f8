import { describe, expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { numbersOf, scalarOf } from "../ir/tensor.js";
import { nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { vjp } from "../transforms/graphs.js";
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

  const ofLabels = graph((b) => ({
    loss: b.crossEntropy(b.input("z", ["n", 3]), b.input("labels", ["n"], "int64")),
  }));
  const ofProbabilities = graph((b) => ({ loss: b.crossEntropy(b.input("z", ["n", 3]), b.input("p", ["n", 3])) }));
  const gradientOf = async (model: typeof ofLabels, feeds: Record<string, readonly number[]>) => {
    const session = await compile(vjp(model, { of: "loss", wrt: ["z"] }));
    const { loss, "gradient/z": gradient } = await session.run(feeds);
    await session.dispose();
    return { loss: scalarOf(loss!) + 0 /* not −0 */, gradient: numbersOf(gradient!) };
  };

  test("of logits so large that their exponentials overflow", async () => {
    // Softmax is 1 at the largest logit to the last digit: the loss is the distance to it, the gradient (softmax − target)/n.
    const z = [1e4, -1e4, 0, -3e38, 3e38, 0];
    const labels = await gradientOf(ofLabels, { z: z.slice(0, 3), labels: [2] });
    expect(labels).toEqual({ loss: 1e4, gradient: [1, 0, -1] });
    const right = await gradientOf(ofLabels, { z, labels: [0, 1] });
    expect(right).toEqual({ loss: 0, gradient: [0, 0, 0, 0, 0, 0] });
    const halves = await gradientOf(ofProbabilities, { z: z.slice(0, 3), p: [0.5, 0.5, 0] });
    expect(halves).toEqual({ loss: 1e4, gradient: [0.5, -0.5, 0] });
  });

  test("of labels is that of rows with a single 1", async () => {
    const z = [0.3, -1.2, 2.5, 0.9, 0.1, -0.4];
    const labels = await gradientOf(ofLabels, { z, labels: [1, 0] });
    const rows = await gradientOf(ofProbabilities, { z, p: [0, 1, 0, 1, 0, 0] });
    // The same few operations on numbers of order 1, in another order.
    expect(labels.loss).toBeCloseTo(rows.loss, 6);
    labels.gradient.forEach((value, i) => expect(value).toBeCloseTo(rows.gradient[i]!, 6));
  });

  test("of labels goes over the logits once forwards and three times backwards", () => {
    const { outputs } = vjp(ofLabels, { of: "loss", wrt: ["z"] });
    const passes = nodesReaching(Object.values(outputs)).filter(({ outputs: [y] }) => y.shape.join() === "n,3");
    expect(passes.map(({ op }) => op)).toEqual(["LogSoftmax", "Exp", "Mul", "ScatterElements"]);
  });

  test("of a label that is no class is refused when it runs", async () => {
    await expect(gradientOf(ofLabels, { z: [1, 2, 3], labels: [3] })).rejects.toThrow(
      "indices element out of data bounds",
    );
  });
});
