/** Operators of the com.microsoft domain that ONNX Runtime's optimiser writes into transformers, composed. */
import type { Value } from "../ir/graph.js";
import { intAttribute, need, optional, type Rewrite } from "./source.js";

const numberAttribute = (value: unknown, fallback: number): number => (typeof value === "number" ? value : fallback);

const gelu =
  (approximate: "none" | "tanh"): Rewrite =>
  (g, node) => {
    const bias = optional(node, 1);
    const x = need(node, 0);
    return g.gelu(bias ? g.add(x, bias) : x, { approximate });
  };

/** x·σ(αx). */
const quickGelu: Rewrite = (g, node) => {
  const x = need(node, 0);
  return g.mul(x, g.sigmoid(g.mul(x, numberAttribute(node.attributes.alpha, 1.702))));
};

const fusedMatMul: Rewrite = (g, node) => {
  const side = (i: number, flag: string): Value => {
    const value = need(node, i);
    return intAttribute(node, flag, 0) ? g.transposeLast(value) : value;
  };
  if (intAttribute(node, "transBatchA", 0) || intAttribute(node, "transBatchB", 0))
    node.refuse("transBatchA and transBatchB are not supported");
  return g.mul(g.matMul(side(0, "transA"), side(1, "transB")), numberAttribute(node.attributes.alpha, 1));
};

/** LayerNormalization of a sum; the sum comes out as well. */
const skipLayerNormalization: Rewrite = (g, node) => {
  const bias = optional(node, 4);
  const skipped = g.add(need(node, 0), need(node, 1));
  const sum = bias ? g.add(skipped, bias) : skipped;
  const y = g.node("LayerNormalization", [sum, need(node, 2), optional(node, 3)], {
    epsilon: numberAttribute(node.attributes.epsilon, 1e-12),
  });
  return [y, null, null, sum];
};

export const contribRewrites: Readonly<Record<string, Rewrite>> = {
  Gelu: gelu("none"),
  BiasGelu: gelu("none"),
  FastGelu: gelu("tanh"),
  QuickGelu: quickGelu,
  FusedMatMul: fusedMatMul,
  SkipLayerNormalization: skipLayerNormalization,
};
