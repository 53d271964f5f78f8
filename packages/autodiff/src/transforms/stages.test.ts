import { expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import type { Graph } from "../ir/graph.js";
import { nodesReaching } from "../ir/traverse.js";
import { compile } from "../runtime/session.js";
import { relativeError } from "../testing/linear-algebra.js";
import { testRandom } from "../testing/random.js";
import { feedsOf, networkGraph, paramNames, referenceNetworks, titleOf } from "../testing/reference.js";
import { gaussNewtonVectorProduct, hessianVectorProduct } from "./graphs.js";
import { stages } from "./stages.js";

const opsOf = ({ outputs }: Graph): string[] => nodesReaching(Object.values(outputs)).map(({ op }) => op);

test.each(referenceNetworks.map((network) => [titleOf(network), network] as const))(
  "products in two stages are the products in one: %s",
  async (_, network) => {
    const wrt = paramNames(network);
    const model = networkGraph(network);
    const size = network.params.reduce((sum, { length }) => sum + length, 0);
    const feeds = feedsOf(network);
    const options = { of: "loss", wrt, vectors: "flat" } as const;
    for (const whole of [
      hessianVectorProduct(model, options),
      gaussNewtonVectorProduct(model, { ...options, output: "output" }),
    ]) {
      const { once, each } = stages(whole, { varying: ["vector"] });
      const sessions = await Promise.all([whole, once, each].map((part) => compile(part, { precision: "float64" })));
      const [direct, first, second] = sessions;
      const kept = await first!.run(feeds);
      const random = testRandom(5);
      for (let repeat = 0; repeat < 2; repeat++) {
        const vector = random.array(size, -1, 1);
        const { product: expected, loss } = await direct!.run({ ...feeds, vector });
        const { product } = await second!.run({ ...feeds, ...kept, vector });
        // The same numbers multiplied in another order: some hundred roundings of 1e-16.
        expect(relativeError(product!.data, expected!.data)).toBeLessThan(1e-13);
        expect(kept["loss"]).toEqual(loss);
      }
      await Promise.all(sessions.map((session) => session.dispose()));
    }
  },
);

test("what stays the same is in the first stage", () => {
  const model = graph((b) => {
    const hidden = b.tanh(b.dense(b.input("x", ["batch", 3]), b.input("W", [3, 4])));
    return { loss: b.squaredLoss(b.dense(hidden, b.input("V", [4, 2])), b.input("y", ["batch", 2])) };
  });
  const { once, each } = stages(hessianVectorProduct(model, { of: "loss", wrt: ["W", "V"], vectors: "flat" }), {
    varying: ["vector"],
  });
  expect(opsOf(each)).not.toContain("Tanh");
  // ż∘s, (h∘ē)∘ż, ∘s on the hidden layer, and 2/n of the output, where 2 and 1/n come one after the other.
  expect(opsOf(each).filter((op) => op === "Mul").length).toBeLessThanOrEqual(6);
  expect(Object.keys(each.inputs)).not.toContain("y");
  expect(Object.keys(once.inputs)).not.toContain("vector");
  expect(Object.keys(once.outputs)).toContain("loss");
  expect(Object.keys(each.outputs)).toEqual(["product"]);
});

test("names that are no inputs are refused", () => {
  const model = graph((b) => ({ y: b.exp(b.input("x", [2])) }));
  expect(() => stages(model, { varying: ["v"] })).toThrow('stages: the graph has no input "v"; it has x.');
});
