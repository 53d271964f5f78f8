/** Normalisations as files have them: training mode refused or read as evaluation, group scales before opset 21. */
import type { Value } from "../ir/graph.js";
import { intAttribute, need, optional, type Rewrite, type SourceNode } from "./source.js";

const epsilonOf = (node: SourceNode, fallback = 1e-5): number => {
  const { epsilon = fallback } = node.attributes;
  return typeof epsilon === "number" ? epsilon : node.refuse("epsilon is not a number");
};

/**
 * With batch statistics the output of an example depends on the others, so the loss is no mean over examples, and neither
 * per-example gradients nor the noise of minibatches mean what they say.
 */
const batchNormalization: Rewrite = (g, node) => {
  const inputs = [0, 1, 2, 3, 4].map((i) => need(node, i));
  // Before opset 14 there was no attribute: five outputs meant training.
  const training =
    intAttribute(node, "training_mode", 0) !== 0 || (node.opset < 14 && node.used.filter(Boolean).length > 1);
  if (training && node.trainingMode === "refuse") {
    node.refuse(
      "training-mode BatchNormalization normalises by the statistics of the batch, so each example's output depends on the others " +
        "and the loss is no mean over examples. Either export in evaluation mode (model.eval(), which uses the running statistics), " +
        'or pass { trainingMode: "evaluate" } to use the running statistics stored in this file',
    );
  }
  const y = g.node("BatchNormalization", inputs, { epsilon: epsilonOf(node) });
  // The running statistics, which training would have updated, stay as they are.
  return [y, inputs[3]!, inputs[4]!];
};

const layerNormalization: Rewrite = (g, node) =>
  g.nodeOutputs("LayerNormalization", [need(node, 0), need(node, 1), optional(node, 2)], {
    axis: intAttribute(node, "axis", -1),
    epsilon: epsilonOf(node),
  });

/** Opsets 18 to 20 have a scale and a bias for each group, 21 for each channel. */
const groupNormalization: Rewrite = (g, node) => {
  const x = need(node, 0);
  const groups = intAttribute(node, "num_groups", 1);
  const channels = x.shape[1];
  const perChannel = (value: Value): Value => {
    if (node.opset >= 21 || typeof channels !== "number" || groups === channels) return value;
    return g.reshape(g.expandTo(g.unsqueeze(value, [1]), [groups, channels / groups]), [channels]);
  };
  return g.node("GroupNormalization", [x, perChannel(need(node, 1)), perChannel(need(node, 2))], {
    num_groups: groups,
    epsilon: epsilonOf(node),
  });
};

const instanceNormalization: Rewrite = (g, node) =>
  g.node("InstanceNormalization", [need(node, 0), need(node, 1), need(node, 2)], { epsilon: epsilonOf(node) });

const rmsNormalization: Rewrite = (g, node) =>
  g.node("RMSNormalization", [need(node, 0), need(node, 1)], {
    axis: intAttribute(node, "axis", -1),
    epsilon: epsilonOf(node),
  });

/** (x − μ)/√(σ² + 1e−9), as the operator's own definition has it. */
const meanVarianceNormalization: Rewrite = (g, node) => {
  const x = need(node, 0);
  const axes = (node.attributes.axes as readonly number[] | undefined) ?? [0, 2, 3];
  const centred = g.sub(x, g.reduceMean(x, axes, { keepDims: true }));
  return g.div(centred, g.add(g.sqrt(g.reduceMean(g.mul(centred, centred), axes, { keepDims: true })), 1e-9));
};

export const normalizationRewrites: Readonly<Record<string, Rewrite>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  RMSNormalization: rmsNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
};
