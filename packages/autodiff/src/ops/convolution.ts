/**
 * Conv and ConvTranspose over any number of spatial axes, with strides, padding, dilation and groups.
 *
 * The two are adjoint: with A(w) the linear map x ↦ Conv(x, w), ConvTranspose(y, w) = A(w)ᵀ y. Both are linear in each
 * argument, so with D(x, ȳ) for the adjoint in the weights, D(x, ȳ)[k, c, tap] = Σ ȳ[n, k, position]·x[n, c, position·s + tap·d]:
 *
 *     Conv            jvp   Ẏ = Conv(Ẋ, W) + Conv(X, Ẇ) + Ḃ      vjp   X̄ = ConvTranspose(Ȳ, W),  W̄ = D(X, Ȳ),  B̄ = Σ Ȳ
 *     ConvTranspose   jvp   the same form                         vjp   X̄ = Conv(Ȳ, W),           W̄ = D(Ȳ, X),  B̄ = Σ Ȳ
 */
import type { Builder } from "../builder/builder.js";
import { addDims, isStatic, multiplyDims, sizeOf, type Dim } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { defineOp, fail, int, ints, type OpRule } from "./rule.js";
import { weightCotangent } from "./convolution-weights.js";
import { byGroup, channelsLast, channelsSecond, windowRows } from "./window-rows.js";
import {
  attributesOf,
  flip,
  footprint,
  known,
  spread,
  windowAttributes,
  windowCounts,
  windowsOf,
  type Windows,
} from "./windows.js";

type Named = Parameters<typeof fail>[0];

const spatialAxes = (x: Value): number[] => x.shape.map((_, axis) => axis).slice(2);

const conv = defineOp({
  op: "Conv",
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, group: int(1) },
  infer: (node) => {
    const [x, w, b] = node.inputs;
    const { group } = node.attributes;
    const channels = x.shape[1];
    const outputs = w.shape[0];
    const fits =
      x.shape.length >= 3 && w.shape.length === x.shape.length && typeof outputs === "number" && outputs % group === 0;
    if (!fits || multiplyDims(w.shape[1]!, group) !== channels || x.type !== w.type) {
      fail(node, `expected X (n, C, …) and W (K, C/${group}, kernel …) of one type and rank, K a multiple of ${group}`);
    }
    if (b && (b.shape.length !== 1 || b.shape[0] !== outputs)) fail(node, `expected a bias [${outputs}]`);
    const windows = windowsOf(node, node.attributes, known(node, w.shape.slice(2)), x.shape.slice(2));
    return { type: x.type, shape: [x.shape[0]!, outputs, ...positive(node, windowCounts(windows, x.shape.slice(2)))] };
  },
  simplify: (g, { inputs: [x, w, b], attributes: { group, auto_pad: autoPad, ...attributes } }) => {
    const kernel = w.shape.slice(2);
    const plain =
      group === 1 &&
      autoPad === "NOTSET" &&
      x.shape.length === w.shape.length &&
      isStatic(kernel) &&
      isStatic(x.shape.slice(1));
    const tiled = plain && kernel.length > 0 && sizeOf(kernel) !== 1 && !attributes.pads?.some((pad) => pad !== 0);
    const disjoint = kernel.every(
      (size, i) =>
        attributes.strides?.[i] === size &&
        (attributes.dilations?.[i] ?? 1) === 1 &&
        Number(x.shape[i + 2]) % Number(size) === 0,
    );
    return tiled && disjoint && w.shape[1] === x.shape[1] ? patchProjection(g, x, w, b) : null;
  },
  jvp: (g, { inputs: [x, w, b], outputs: [y], attributes }, [dx, dw, db]) => {
    const terms = g.addTangents(
      dx && g.node("Conv", [dx, w, null], attributes),
      dw && g.node("Conv", [x, dw, null], attributes),
    );
    return b && db ? g.addTangents(terms, g.expandTo(perChannel(g, db, y), y.shape)) : terms;
  },
  vjp: (g, node, dy, [wantX, wantW, wantB]) => {
    const [x, w] = node.inputs;
    const { group } = node.attributes;
    const windows = windowsOf(node, node.attributes, known(node, w.shape.slice(2)), x.shape.slice(2));
    return [
      wantX ? inputCotangent(g, node, x, w, dy, windows, group) : null,
      wantW ? weightCotangent(g, x, dy, windows, known(node, dy.shape.slice(2)), group) : null,
      wantB ? sumOverPositions(g, dy) : null,
    ];
  },
  float64: (g, node) => {
    const [x, w, b] = node.inputs;
    const windows = windowsOf(node, node.attributes, known(node, w.shape.slice(2)), x.shape.slice(2));
    return withBias(g, byProducts(g, node, x, w, windows, node.attributes.group), b);
  },
});

const convTranspose = defineOp({
  op: "ConvTranspose",
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, group: int(1), output_padding: ints(), output_shape: ints() },
  infer: (node) => {
    const [x, w, b] = node.inputs;
    const { group, output_padding: extra, output_shape: given, auto_pad: autoPad } = node.attributes;
    if (
      x.shape.length < 3 ||
      w.shape.length !== x.shape.length ||
      w.shape[0] !== x.shape[1] ||
      x.type !== w.type ||
      Number(x.shape[1]) % group !== 0
    ) {
      fail(node, "expected X (n, C, …) and W (C, K/group, kernel …) of one type and rank");
    }
    if (given?.length || (autoPad !== "NOTSET" && autoPad !== "VALID"))
      fail(node, "expected pads, not output_shape or auto_pad");
    const outputs = multiplyDims(w.shape[1]!, group);
    if (b && (b.shape.length !== 1 || b.shape[0] !== outputs)) fail(node, `expected a bias [${outputs}]`);
    const windows = windowsOf(node, node.attributes, known(node, w.shape.slice(2)), []);
    const spatial = x.shape.slice(2).map((size, i) => {
      const pads = windows.before[i]! + windows.after[i]!;
      const rest = footprint(windows, i) + (extra?.[i] ?? 0) - pads - windows.strides[i]!;
      return addDims(multiplyDims(size, windows.strides[i]!), rest);
    });
    return { type: x.type, shape: [x.shape[0]!, outputs, ...positive(node, spatial)] };
  },
  jvp: (g, { inputs: [x, w, b], outputs: [y], attributes }, [dx, dw, db]) => {
    const terms = g.addTangents(
      dx && g.node("ConvTranspose", [dx, w, null], attributes),
      dw && g.node("ConvTranspose", [x, dw, null], attributes),
    );
    return b && db ? g.addTangents(terms, g.expandTo(perChannel(g, db, y), y.shape)) : terms;
  },
  vjp: (g, node, dy, [wantX, wantW, wantB]) => {
    const [x, w] = node.inputs;
    const { group } = node.attributes;
    const windows = windowsOf(node, node.attributes, known(node, w.shape.slice(2)), []);
    return [
      wantX ? g.node("Conv", [dy, w, null], { ...attributesOf(windows), group }) : null,
      wantW ? weightCotangent(g, dy, x, windows, known(node, x.shape.slice(2)), group) : null,
      wantB ? sumOverPositions(g, dy) : null,
    ];
  },
  // A convolution of stride 1 over the input with zeros between and around its elements.
  float64: (g, node) => {
    const [x, w, b] = node.inputs;
    const { group, output_padding: extra } = node.attributes;
    const { kernel, strides, dilations, before, after } = windowsOf(
      node,
      node.attributes,
      known(node, w.shape.slice(2)),
      [],
    );
    const reach = kernel.map((size, i) => dilations[i]! * (size - 1));
    const windows: Windows = {
      kernel,
      dilations,
      strides: strides.map(() => 1),
      before: reach.map((r, i) => r - before[i]!),
      after: reach.map((r, i) => r - after[i]! + (extra?.[i] ?? 0)),
    };
    return withBias(
      g,
      byProducts(g, node, spread(g, x, spatialAxes(x), strides), turned(g, w, group), windows, group),
      b,
    );
  },
});

const withBias = (g: Builder, y: Value, b: Value | null): Value => (b ? g.add(y, perChannel(g, b, y)) : y);

function positive(node: Named, sizes: readonly Dim[]): readonly Dim[] {
  if (sizes.some((size) => typeof size === "number" && size < 1))
    fail(node, "expected an input at least as large as the kernel");
  return sizes;
}

/** A vector over channels, shaped to broadcast against (n, C, …). */
export const perChannel = (g: Builder, vector: Value, like: Value): Value =>
  g.reshape(vector, [vector.shape[0]!, ...new Array<number>(like.shape.length - 2).fill(1)]);

/** Σ over examples and positions of (n, C, …): [C]. */
export const sumOverPositions = (g: Builder, x: Value): Value => g.reduceSum(x, [0, ...spatialAxes(x)]);

/**
 * X̄ = A(W)ᵀ Ȳ. For stride 1 that is a Conv with the kernel turned round and its channel axes exchanged, more than twice
 * as fast in ONNX Runtime as ConvTranspose.
 */
function inputCotangent(
  g: Builder,
  node: Named,
  x: Value,
  w: Value,
  dy: Value,
  windows: Windows,
  group: number,
): Value {
  const reach = windows.kernel.map((_, i) => footprint(windows, i) - 1);
  const canTurn =
    windows.strides.every((stride) => stride === 1) &&
    reach.every((r, i) => windows.before[i]! <= r && windows.after[i]! <= r);
  if (canTurn) {
    const pads = [...reach.map((r, i) => r - windows.before[i]!), ...reach.map((r, i) => r - windows.after[i]!)];
    return g.node("Conv", [dy, turned(g, w, group), null], {
      kernel_shape: windows.kernel,
      dilations: windows.dilations,
      pads,
      group,
    });
  }
  const spatial = known(node, x.shape.slice(2));
  const reached = known(node, dy.shape.slice(2)).map(
    (count, i) => (count - 1) * windows.strides[i]! + footprint(windows, i) - windows.before[i]! - windows.after[i]!,
  );
  const extra = spatial.map((size, i) => size - reached[i]!);
  return g.node("ConvTranspose", [dy, w, null], { ...attributesOf(windows), group, output_padding: extra });
}

/** W (K, C/g, …) as the kernel of the transposed map (C, K/g, …): channels exchanged within each group, taps reversed. */
function turned(g: Builder, w: Value, group: number): Value {
  const [outputs, inputs, ...kernel] = w.shape as readonly number[];
  const reversed = flip(g, w, spatialAxes(w));
  const rest = kernel.map((_, i) => i);
  if (group === 1) return g.transpose(reversed, [1, 0, ...rest.map((i) => i + 2)]);
  const grouped = g.reshape(reversed, [group, outputs! / group, inputs!, ...kernel]);
  const swapped = g.transpose(grouped, [0, 2, 1, ...rest.map((i) => i + 3)]);
  return g.reshape(swapped, [group * inputs!, outputs! / group, ...kernel]);
}

/** The convolution itself as a product of windows and kernels. */
function byProducts(g: Builder, node: Named, x: Value, w: Value, windows: Windows, group: number): Value {
  const outputs = w.shape[0] as number;
  const counts = known(node, windowCounts(windows, x.shape.slice(2)));
  const rows = windowRows(g, x, windows, counts);
  const columns = Number(sizeOf(w.shape.slice(1)));
  const kernels = g.reshape(channelsLast(g, w), [group, outputs / group, columns]);
  const product = g.matMul(byGroup(g, rows, Number(sizeOf(windows.kernel)), group), g.transpose(kernels, [0, 2, 1]));
  const together = g.reshape(g.transpose(product, [1, 0, 2]), [x.shape[0]!, ...counts, outputs]);
  return channelsSecond(g, together);
}

/**
 * A convolution whose windows neither overlap nor leave gaps (the patches of a vision transformer): one matrix product of
 * the patches. Gradients are then products too, instead of a slice for every tap.
 */
function patchProjection(g: Builder, x: Value, w: Value, b: Value | null): Value {
  const [examples, channels, ...spatial] = x.shape as readonly [Dim, number, ...number[]];
  const [outputs, , ...kernel] = w.shape as readonly number[];
  const counts = spatial.map((size, i) => size / kernel[i]!);
  const rank = kernel.length;
  const tiles = g.reshape(x, [examples, channels, ...counts.flatMap((count, i) => [count, kernel[i]!])]);
  const order = kernel.map((_, i) => i);
  const patches = g.transpose(tiles, [0, ...order.map((i) => 2 + 2 * i), 1, ...order.map((i) => 3 + 2 * i)]);
  const size = Number(sizeOf(kernel)) * channels;
  const rows = g.reshape(patches, [multiplyDims(examples, sizeOf(counts)), size]);
  const product = g.gemm(rows, g.reshape(w, [outputs!, size]), b, { transB: 1 });
  return g.transpose(g.reshape(product, [examples, ...counts, outputs!]), [0, rank + 1, ...order.map((i) => i + 1)]);
}

export const convolutionRules: readonly OpRule[] = [conv, convTranspose];
