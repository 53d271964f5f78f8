/** BatchNormalization, LayerNormalization, GroupNormalization, InstanceNormalization, RMSNormalization. */
import type { Builder } from "../builder/builder.js";
import { divideDims, multiplyDims, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { perChannel, sumOverPositions } from "./convolution.js";
import { defineOp, fail, float, int, normalizeAxis, type Derivative, type OpRule } from "./rule.js";

const axesFrom = (axis: number, x: Value): number[] => x.shape.map((_, i) => i).slice(axis);

const meanOver = (g: Builder, x: Value, axes: readonly number[]): Value => g.reduceMean(x, axes, { keepDims: true });

/**
 * y = s·(x − μ)·r + b over each channel, r = 1/√(σ² + ε), with the running statistics μ and σ² given: the inference form.
 *
 *     ẏ = s·r·ẋ + ṡ·(x − μ)·r + ḃ − s·r·μ̇ − ½·s·(x − μ)·r³·σ̇²
 *
 * and its transpose. The training form, whose statistics are the batch's, couples examples: importOnnx refuses it.
 */
const batchNormalization = defineOp({
  op: "BatchNormalization",
  inputs: ["X", "scale", "B", "input_mean", "input_var"],
  attributes: { epsilon: float(1e-5), momentum: float(0.9), training_mode: int(0) },
  infer: (node) => {
    const [x, ...others] = node.inputs;
    if (node.attributes.training_mode !== 0)
      fail(node, "expected running statistics (training_mode 0): batch statistics couple examples");
    if (x.shape.length < 2 || others.some(({ shape }) => shape.length !== 1 || shape[0] !== x.shape[1])) {
      fail(node, "expected X (n, C, …) and scale, bias, mean and variance [C]");
    }
    return { type: x.type, shape: x.shape };
  },
  jvp: (g, node, [dx, dscale, dbias, dmean, dvar]) => {
    const { x, rate, slope, normal, third } = batchParts(g, node);
    const channel = (value: Derivative): Value | null => value && perChannel(g, value, x);
    const terms = [
      dx && g.mul(dx, slope()),
      dscale && g.mul(normal(), channel(dscale)!),
      channel(dbias),
      dmean && g.neg(g.mul(channel(dmean)!, slope())),
      dvar && g.mul(g.mul(normal(), third()), channel(g.mul(dvar, rate))!),
    ];
    return g.expandTo(
      terms.reduce<Derivative>((sum, term) => g.addTangents(sum, term), null)!,
      x.shape,
    );
  },
  vjp: (g, node, dy, [wantX, wantScale, wantBias, wantMean, wantVar]) => {
    const { scale, rate, slope, normal } = batchParts(g, node);
    const dbias = sumOverPositions(g, dy);
    const dscale = wantScale || wantVar ? sumOverPositions(g, g.mul(dy, normal())) : null;
    return [
      wantX ? g.mul(dy, slope()) : null,
      wantScale ? dscale : null,
      wantBias ? dbias : null,
      wantMean ? g.neg(g.mul(dbias, g.mul(scale, rate))) : null,
      wantVar ? g.mul(g.mul(dscale!, g.mul(scale, g.mul(rate, rate))), -0.5) : null,
    ];
  },
});

interface BatchNode {
  readonly inputs: readonly [Value, Value, Value, Value, Value];
  readonly attributes: { readonly epsilon: number };
}

function batchParts(g: Builder, { inputs: [x, scale, , mean, variance], attributes: { epsilon } }: BatchNode) {
  const rate = g.reciprocal(g.sqrt(g.add(variance, epsilon)));
  return {
    x,
    scale,
    rate,
    /** s·r, shaped [C, 1 …]. */
    slope: () => perChannel(g, g.mul(scale, rate), x),
    /** (x − μ)·r. */
    normal: () => g.mul(g.sub(x, perChannel(g, mean, x)), perChannel(g, rate, x)),
    /** −½·s·r, shaped [C, 1 …]: with one more r it is the derivative by σ² of s·r over (x − μ)·r. */
    third: () => perChannel(g, g.mul(g.mul(scale, rate), -0.5), x),
  };
}

/**
 * y = s∘x̂ + b with x̂ = (x − μ)·r, r = 1/√(σ² + ε), statistics over the axes from `axis` on. Outputs y, μ and r.
 * With ⟨·⟩ for the mean over those axes and P v = r·(v − ⟨v⟩ − x̂·⟨x̂∘v⟩), which is symmetric:
 *
 *     jvp   ẏ = s∘P ẋ + ṡ∘x̂ + ḃ,   μ̇ = ⟨ẋ⟩,   ṙ = −r²⟨x̂∘ẋ⟩
 *     vjp   x̄ = P(s∘ȳ) + (μ̄ − r²·r̄·x̂)/n,   s̄ = Σ ȳ∘x̂,   b̄ = Σ ȳ     over the axes before `axis`
 */
const layerNormalization = defineOp({
  op: "LayerNormalization",
  optionalOutputs: true,
  inputs: ["X", "Scale", "B?"],
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  infer: (node) => {
    const [x, scale, bias] = node.inputs;
    const axis = normalizeAxis(node, node.attributes.axis, x.shape.length);
    const normal = x.shape.slice(axis);
    for (const each of [scale, bias]) {
      if (each && (each.type !== x.type || !endsWith(normal, each.shape)))
        fail(node, "expected scale and bias of the normalised axes");
    }
    const kept = { type: x.type, shape: x.shape.map((dim, i) => (i < axis ? dim : 1)) };
    return [{ type: x.type, shape: x.shape }, kept, kept];
  },
  jvp: (g, node, [dx, dscale, dbias]) => {
    const [x, scale] = node.inputs;
    const { axes, normal, rate } = layerParts(g, node);
    const projected = dx && project(g, dx, normal, rate, axes);
    const dy = [
      projected && g.mul(projected, scale),
      dscale && g.mul(normal, dscale),
      dbias && g.expandTo(dbias, x.shape),
    ];
    return [
      dy.reduce<Derivative>((sum, term) => g.addTangents(sum, term ?? null), null),
      dx && meanOver(g, dx, axes),
      dx && g.neg(g.mul(g.mul(rate, rate), meanOver(g, g.mul(normal, dx), axes))),
    ];
  },
  vjp: (g, node, dy, [wantX, wantScale, wantBias], [, dmean, drate]) => {
    const [x, scale, bias] = node.inputs;
    const { axes, normal, rate } = layerParts(g, node);
    const count = g.count(
      axes.map((axis) => x.shape[axis]!),
      x.type,
    );
    const fromY = wantX && dy !== null ? project(g, g.mul(dy, scale), normal, rate, axes) : null;
    const fromMean = dmean ? g.expandTo(g.div(dmean, count), x.shape) : null;
    const fromRate = drate ? g.neg(g.mul(normal, g.div(g.mul(g.mul(rate, rate), drate), count))) : null;
    return [
      wantX ? g.addTangents(fromY, g.addTangents(fromMean, fromRate)) : null,
      wantScale && dy !== null ? g.sumTo(g.mul(dy, normal), scale.shape) : null,
      wantBias && dy !== null ? g.sumTo(dy, bias!.shape) : null,
    ];
  },
  // The engine's float64 kernel gives the statistics in float32.
  float64: (g, { inputs: [x, scale, bias], attributes: { axis, epsilon } }) => {
    const axes = axesFrom(axis < 0 ? axis + x.shape.length : axis, x);
    const mean = meanOver(g, x, axes);
    const centred = g.sub(x, mean);
    const rate = g.reciprocal(g.sqrt(g.add(meanOver(g, g.mul(centred, centred), axes), epsilon)));
    const scaled = g.mul(g.mul(centred, rate), scale);
    return [bias ? g.add(scaled, bias) : scaled, mean, rate];
  },
});

const endsWith = (shape: Shape, tail: Shape): boolean => {
  const offset = shape.length - tail.length;
  return offset >= 0 && tail.every((dim, i) => dim === shape[offset + i] || dim === 1);
};

interface LayerNode {
  readonly inputs: readonly [Value, Value, Value | null];
  readonly attributes: { readonly axis: number };
  readonly outputs: readonly [Value, ...Value[]];
}

function layerParts(g: Builder, { inputs: [x], attributes: { axis }, outputs }: LayerNode) {
  const axes = axesFrom(axis < 0 ? axis + x.shape.length : axis, x);
  const [, mean, rate] = outputs as readonly [Value, Value, Value];
  return { axes, rate, normal: g.mul(g.sub(x, mean), rate) };
}

/** P v. */
function project(g: Builder, v: Value, normal: Value, rate: Value, axes: readonly number[]): Value {
  const along = g.mul(normal, meanOver(g, g.mul(normal, v), axes));
  return g.mul(g.sub(g.sub(v, meanOver(g, v, axes)), along), rate);
}

/** x normalised over its last axis, neither scaled nor shifted. */
function normalizeLast(g: Builder, x: Value, epsilon: number): Value {
  const ones = g.expandTo(g.constant(1, { type: x.type }), [x.shape.at(-1)!]);
  return g.node("LayerNormalization", [x, ones, null], { axis: -1, epsilon });
}

/** y·scale + bias, with a scale and a bias for each channel. */
function affine(g: Builder, y: Value, scale: Value, bias: Value): Value {
  return g.add(g.mul(y, perChannel(g, scale, y)), perChannel(g, bias, y));
}

/** Statistics over groups of channels and all positions of an example; scale and bias for each channel. */
const groupNormalization = defineOp({
  op: "GroupNormalization",
  inputs: ["X", "scale", "bias"],
  attributes: { epsilon: float(1e-5), num_groups: int(), stash_type: int(1) },
  infer: (node) => {
    const [x, scale, bias] = node.inputs;
    const groups = node.attributes.num_groups;
    const channels = x.shape[1];
    if (x.shape.length < 3 || typeof channels !== "number" || groups === undefined || channels % groups !== 0) {
      fail(node, "expected X (n, C, …) and num_groups that divides C");
    }
    if ([scale, bias].some(({ shape }) => shape.length !== 1 || shape[0] !== channels))
      fail(node, `expected scale and bias [${channels}]`);
    return { type: x.type, shape: x.shape };
  },
  simplify: (g, { inputs: [x, scale, bias], attributes: { epsilon, num_groups: groups } }) => {
    const [examples, channels, ...spatial] = x.shape as readonly [Dim, Dim, ...Dim[]];
    if (groups === undefined || typeof channels !== "number" || channels % groups !== 0 || scale.shape[0] !== channels)
      return null;
    const size = multiplyDims(divideDims(channels, groups), sizeOf(spatial));
    const normal = normalizeLast(g, g.reshape(x, [examples, groups, size]), epsilon);
    return affine(g, g.reshape(normal, x.shape), scale, bias);
  },
});

/** Statistics over the positions of each channel of an example. */
const instanceNormalization = defineOp({
  op: "InstanceNormalization",
  inputs: ["input", "scale", "B"],
  attributes: { epsilon: float(1e-5) },
  infer: (node) => {
    const [x, scale, bias] = node.inputs;
    if (x.shape.length < 3 || [scale, bias].some(({ shape }) => shape.length !== 1 || shape[0] !== x.shape[1])) {
      fail(node, "expected X (n, C, …) and scale and bias [C]");
    }
    return { type: x.type, shape: x.shape };
  },
  simplify: (g, { inputs: [x, scale, bias], attributes: { epsilon } }) => {
    const [examples, channels, ...spatial] = x.shape as readonly [Dim, Dim, ...Dim[]];
    if (x.shape.length < 3 || scale.shape[0] !== channels || bias.shape[0] !== channels) return null;
    const normal = normalizeLast(g, g.reshape(x, [examples, channels, sizeOf(spatial)]), epsilon);
    return affine(g, g.reshape(normal, x.shape), scale, bias);
  },
});

/** y = s·x/√(⟨x²⟩ + ε). */
const rmsNormalization = defineOp({
  op: "RMSNormalization",
  inputs: ["X", "scale"],
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  infer: ({ inputs: [x] }) => ({ type: x.type, shape: x.shape }),
  simplify: (g, node) => {
    const [x, scale] = node.inputs;
    const axes = axesFrom(normalizeAxis(node, node.attributes.axis, x.shape.length), x);
    const square = g.add(meanOver(g, g.mul(x, x), axes), node.attributes.epsilon);
    return g.mul(g.mul(x, g.reciprocal(g.sqrt(square))), scale);
  },
});

export const normalizationRules: readonly OpRule[] = [
  batchNormalization,
  layerNormalization,
  groupNormalization,
  instanceNormalization,
  rmsNormalization,
];
