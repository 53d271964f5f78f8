/** Attention and RotaryEmbedding of opset 23, composed, so that they have every derivative and run in float64. */
import type { Builder } from "../builder/builder.js";
import { divideDims, multiplyDims, subtractDims, type Dim } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { triangle } from "./arrangement.js";
import { intAttribute, need, optional, type Rewrite, type SourceNode } from "./source.js";

/** Before a softmax this is nothing, in float32 and float64 alike, and it stays finite when a whole row has it. */
const MASKED = -1e30;

/**
 * Y = softmax(q·kᵀ·scale + mask)·v for q (n, heads, length, size); with fewer key-value heads each serves several.
 * Three-dimensional inputs (n, length, heads·size) are taken apart by q_num_heads and kv_num_heads.
 */
const attention: Rewrite = (g, node) => {
  const packed = need(node, 0).shape.length === 3;
  const heads = intAttribute(node, "q_num_heads", 0);
  const keyHeads = intAttribute(node, "kv_num_heads", 0);
  if (packed && (heads < 1 || keyHeads < 1)) node.refuse("expected q_num_heads and kv_num_heads with inputs of rank 3");
  const q = packed ? splitHeads(g, need(node, 0), heads) : need(node, 0);
  const newKeys = packed ? splitHeads(g, need(node, 1), keyHeads) : need(node, 1);
  const newValues = packed ? splitHeads(g, need(node, 2), keyHeads) : need(node, 2);
  const [pastKeys, pastValues] = [optional(node, 4), optional(node, 5)];
  if (optional(node, 6)) node.refuse("nonpad_kv_seqlen is not supported");
  const keys = pastKeys ? g.concat([pastKeys, newKeys], 2) : newKeys;
  const values = pastValues ? g.concat([pastValues, newValues], 2) : newValues;

  const size = q.shape.at(-1);
  const { scale = typeof size === "number" ? 1 / Math.sqrt(size) : node.refuse("expected a known head size") } =
    node.attributes;
  if (typeof scale !== "number") return node.refuse("scale is not a number");
  const scores = g.mul(g.matMul(q, g.transposeLast(repeatHeads(g, node, keys, q))), scale);
  const masked = mask(g, node, softcap(g, node, scores), q, keys, pastKeys);
  const weights = g.softmax(masked, -1);
  const y = g.matMul(weights, repeatHeads(g, node, values, q));
  const mode = intAttribute(node, "qk_matmul_output_mode", 0);
  const stages = [scores, masked, softcap(g, node, scores), weights];
  return [
    packed ? joinHeads(g, y) : y,
    keys,
    values,
    stages[mode] ?? node.refuse(`qk_matmul_output_mode must be 0 to 3, not ${mode}`),
  ];
};

const splitHeads = (g: Builder, x: Value, heads: number): Value => {
  const [examples, length, width] = x.shape as readonly [Dim, Dim, Dim];
  return g.transpose(g.reshape(x, [examples, length, heads, divideDims(width, heads)]), [0, 2, 1, 3]);
};

const joinHeads = (g: Builder, x: Value): Value => {
  const [examples, heads, length, size] = x.shape as readonly [Dim, Dim, Dim, Dim];
  return g.reshape(g.transpose(x, [0, 2, 1, 3]), [examples, length, multiplyDims(heads, size)]);
};

/** Key or value heads repeated to the number of query heads, each beside itself. */
function repeatHeads(g: Builder, node: SourceNode, x: Value, q: Value): Value {
  const [examples, heads, length, size] = x.shape as readonly [Dim, Dim, Dim, Dim];
  const wanted = q.shape[1]!;
  if (heads === wanted) return x;
  if (typeof heads !== "number" || typeof wanted !== "number" || wanted % heads !== 0) {
    return node.refuse(`expected query heads that are a multiple of the key-value heads, got ${wanted} and ${heads}`);
  }
  const repeated = g.expandTo(g.unsqueeze(x, [2]), [examples, heads, wanted / heads, length, size]);
  return g.reshape(repeated, [examples, wanted, length, size]);
}

function softcap(g: Builder, node: SourceNode, scores: Value): Value {
  const { softcap: cap = 0 } = node.attributes;
  if (typeof cap !== "number") return node.refuse("softcap is not a number");
  return cap > 0 ? g.mul(g.tanh(g.div(scores, cap)), cap) : scores;
}

function mask(g: Builder, node: SourceNode, scores: Value, q: Value, keys: Value, past: Value | null): Value {
  const given = optional(node, 3);
  let masked = scores;
  if (given) masked = given.type === "bool" ? g.where(given, masked, MASKED) : g.add(masked, given);
  if (intAttribute(node, "is_causal", 0) === 0) return masked;
  const [queries, all] = [q.shape.at(-2)!, keys.shape.at(-2)!];
  // Query i stands at position i plus the length of the past.
  const before = past === null ? 0 : subtractDims(all, queries);
  if (typeof before !== "number")
    return node.refuse("is_causal with a past of unknown length is not supported; pass { shapes }");
  return g.where(triangle(g, queries, all, before, true), masked, MASKED);
}

/**
 * Pairs of elements turned by position: (a, b) ↦ (a·cos − b·sin, a·sin + b·cos). Pairs are halves apart, or neighbours
 * with `interleaved`; only the first rotary_embedding_dim elements of each head turn.
 */
const rotaryEmbedding: Rewrite = (g, node) => {
  const x = need(node, 0);
  const packed = x.shape.length === 3;
  const heads = intAttribute(node, "num_heads", 0);
  if (packed && heads < 1) node.refuse("expected num_heads with an input of rank 3");
  const apart = packed ? splitHeads(g, x, heads) : x;
  const size = apart.shape.at(-1);
  if (typeof size !== "number") return node.refuse("expected a known head size");
  const turning = intAttribute(node, "rotary_embedding_dim", 0) || size;
  const positions = optional(node, 3);
  const table = (i: number): Value => {
    const held = need(node, i);
    return g.unsqueeze(positions ? g.gather(held, positions) : held, [1]);
  };
  const [cos, sin] = [table(1), table(2)];
  const head = g.slice(apart, 3, 0, turning);
  const turned = intAttribute(node, "interleaved", 0)
    ? turnNeighbours(g, head, cos, sin)
    : turnHalves(g, head, cos, sin, turning / 2);
  const whole = turning < size ? g.concat([turned, g.slice(apart, 3, turning)], 3) : turned;
  return packed ? joinHeads(g, whole) : whole;
};

function turn(g: Builder, a: Value, b: Value, cos: Value, sin: Value): readonly [Value, Value] {
  return [g.sub(g.mul(a, cos), g.mul(b, sin)), g.add(g.mul(a, sin), g.mul(b, cos))];
}

function turnHalves(g: Builder, x: Value, cos: Value, sin: Value, half: number): Value {
  return g.concat(turn(g, g.slice(x, 3, 0, half), g.slice(x, 3, half), cos, sin), 3);
}

function turnNeighbours(g: Builder, x: Value, cos: Value, sin: Value): Value {
  const [even, odd] = turn(g, g.slice(x, 3, 0, undefined, 2), g.slice(x, 3, 1, undefined, 2), cos, sin);
  return g.reshape(g.concat([g.unsqueeze(even, [4]), g.unsqueeze(odd, [4])], 4), x.shape);
}

export const attentionRewrites: Readonly<Record<string, Rewrite>> = {
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
};
