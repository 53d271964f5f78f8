/** SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss, composed. Both count classes on axis 1. */
import type { Builder } from "../builder/builder.js";
import { sizeOf } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { indicesUpTo } from "./arrangement.js";
import { need, optional, stringAttribute, type Rewrite, type SourceNode } from "./source.js";

/**
 * −Σ w_i·logp_i / Σ w_i for `mean`, with w_i the weight of label i's class, 0 where the label is `ignore_index`.
 *
 * @param logProbabilities  [n, C, d1, …]
 */
function negativeLogLikelihood(g: Builder, node: SourceNode, logProbabilities: Value): Value {
  const labels = need(node, 1);
  const classWeights = optional(node, 2);
  const classes = logProbabilities.shape[1]!;
  const { type, shape } = logProbabilities;
  const ignored = node.attributes.ignore_index;
  const targets = g.cast(labels, "int64");
  const all = g.reshape(indicesUpTo(g, classes), [classes, ...new Array<number>(shape.length - 2).fill(1)]);
  const chosen = g.cast(g.equal(g.unsqueeze(targets, [1]), all), type);

  // Weights of one are left out, so that the common case is a plain mean.
  const counted = typeof ignored === "number" ? g.sub(1, g.cast(g.equal(targets, ignored), type)) : null;
  const classWeight =
    classWeights && g.reshape(classWeights, [classes, ...new Array<number>(shape.length - 2).fill(1)]);
  const byClass = classWeight && g.reduceSum(g.mul(chosen, classWeight), [1]);
  const weight = byClass && counted ? g.mul(byClass, counted) : (byClass ?? counted);

  const picked = g.neg(g.reduceSum(g.mul(logProbabilities, chosen), [1]));
  const each = weight ? g.mul(picked, weight) : picked;
  const reduction = stringAttribute(node, "reduction", "mean");
  switch (reduction) {
    case "none":
      return each;
    case "sum":
      return g.reduceSum(each);
    case "mean":
      return weight
        ? g.div(g.reduceSum(each), g.reduceSum(weight))
        : g.div(g.reduceSum(each), g.count([sizeOf(each.shape)], type));
    default:
      return node.refuse(`reduction must be "none", "sum" or "mean", not "${reduction}"`);
  }
}

const softmaxCrossEntropy: Rewrite = (g, node) => {
  const logProbabilities = g.logSoftmax(need(node, 0), 1);
  return [negativeLogLikelihood(g, node, logProbabilities), logProbabilities];
};

export const lossRewrites: Readonly<Record<string, Rewrite>> = {
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  NegativeLogLikelihoodLoss: (g, node) => negativeLogLikelihood(g, node, need(node, 0)),
};
