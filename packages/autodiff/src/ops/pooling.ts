/** MaxPool, AveragePool, GlobalAveragePool and GlobalMaxPool over any number of spatial axes. */
import type { Builder } from "../builder/builder.js";
import { multiplyDims, sizeOf, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { defineOp, fail, int, type OpRule } from "./rule.js";
import {
  footprint,
  known,
  padAxes,
  seenBy,
  spread,
  taps,
  windowAttributes,
  windowCounts,
  windowsOf,
  type Windows,
} from "./windows.js";

type Named = Parameters<typeof fail>[0];

const poolAttributes = { ...windowAttributes, ceil_mode: int(0) };

const spatialAxes = (x: Value): number[] => x.shape.map((_, axis) => axis).slice(2);

function pooled(node: Named, x: Value, windows: Windows, ceil: number): Shape {
  const counts = windowCounts(windows, x.shape.slice(2), ceil === 1);
  if (counts.some((count) => typeof count === "number" && count < 1))
    fail(node, "expected an input at least as large as the kernel");
  return [...x.shape.slice(0, 2), ...counts];
}

function poolWindows(node: Named, x: Value, attributes: Parameters<typeof windowsOf>[1]): Windows {
  const kernel = attributes.kernel_shape ?? fail(node, "expected a kernel_shape");
  if (x.shape.length !== kernel.length + 2) fail(node, `expected an input (n, C, …) of rank ${kernel.length + 2}`);
  return windowsOf(node, attributes, kernel, x.shape.slice(2));
}

/**
 * Y = the largest element of each window; Indices say which it was, counted over the whole input.
 *
 *     jvp   Ẏ = Ẋ[Indices]      vjp   X̄[Indices] += Ȳ
 */
const maxPool = defineOp({
  op: "MaxPool",
  optionalOutputs: true,
  inputs: ["X"],
  attributes: { ...poolAttributes, storage_order: int(0) },
  infer: (node) => {
    const [x] = node.inputs;
    if (node.attributes.storage_order !== 0) fail(node, "expected storage_order 0");
    const shape = pooled(node, x, poolWindows(node, x, node.attributes), node.attributes.ceil_mode);
    return [
      { type: x.type, shape },
      { type: "int64", shape },
    ];
  },
  jvp: (g, { inputs: [x], outputs: [, indices] }, [dx]) => [
    g.gather(g.reshape(dx!, [sizeOf(x.shape)]), indices!),
    null,
  ],
  vjp: (g, { inputs: [x], outputs: [, indices] }, dy) => {
    if (dy === null) return [null];
    const flat = g.gather(g.reshape(x, [sizeOf(x.shape)]), indices!);
    const [scattered] = g.vjp([flat], [dy], [x]);
    return [scattered!];
  },
});

/**
 * Y = the mean of each window: over all of it with `count_include_pad`, else over what lies inside the input. Linear.
 *
 *     jvp   Ẏ = AveragePool(Ẋ)      vjp   X̄ = each window's Ȳ/count, spread over the window
 */
const averagePool = defineOp({
  op: "AveragePool",
  inputs: ["X"],
  attributes: { ...poolAttributes, count_include_pad: int(0) },
  infer: (node) => {
    const [x] = node.inputs;
    return { type: x.type, shape: pooled(node, x, poolWindows(node, x, node.attributes), node.attributes.ceil_mode) };
  },
  jvp: (g, { attributes }, [dx]) => g.node("AveragePool", [dx!], attributes),
  vjp: (g, node, dy) => {
    const [x] = node.inputs;
    const windows = poolWindows(node, x, node.attributes);
    const spatial = known(node, x.shape.slice(2));
    const counts = known(node, dy.shape.slice(2));
    const weighted = g.div(dy, windowSizes(g, dy, windows, spatial, counts, node.attributes.count_include_pad === 1));
    return [
      isTiling(windows, spatial)
        ? repeatOverTiles(g, weighted, windows)
        : spreadOverWindows(g, weighted, windows, spatial),
    ];
  },
  float64: (g, node) => {
    const [x] = node.inputs;
    const windows = poolWindows(node, x, node.attributes);
    const spatial = known(node, x.shape.slice(2));
    const counts = known(node, pooled(node, x, windows, node.attributes.ceil_mode).slice(2));
    const axes = spatialAxes(x);
    // Windows that ceil_mode lets reach past the padding see zeros there.
    const after = spatial.map(
      (size, i) => (counts[i]! - 1) * windows.strides[i]! + footprint(windows, i) - size - windows.before[i]!,
    );
    const padded = padAxes(
      g,
      x,
      axes,
      windows.before,
      after.map((count, i) => Math.max(count, windows.after[i]!)),
    );
    const sum = taps(windows.kernel)
      .map((tap) => seenBy(g, padded, axes, tap, windows, counts))
      .reduce((total, seen) => g.add(total, seen));
    return g.div(sum, windowSizes(g, x, windows, spatial, counts, node.attributes.count_include_pad === 1));
  },
});

const isTiling = ({ kernel, strides, dilations, before, after }: Windows, spatial: readonly number[]): boolean =>
  kernel.every(
    (size, i) =>
      strides[i] === size && dilations[i] === 1 && before[i] === 0 && after[i] === 0 && spatial[i]! % size === 0,
  );

/** How many elements each window averages over: [windows …], or a scalar where all are alike. */
function windowSizes(
  g: Builder,
  like: Value,
  windows: Windows,
  spatial: readonly number[],
  counts: readonly number[],
  withPadding: boolean,
): Value {
  const alongAxes = counts.map((count, i) =>
    Array.from({ length: count }, (_, position) => {
      const start = position * windows.strides[i]! - windows.before[i]!;
      const [low, high] = withPadding ? [-windows.before[i]!, spatial[i]! + windows.after[i]!] : [0, spatial[i]!];
      let inside = 0;
      for (let tap = 0; tap < windows.kernel[i]!; tap++) {
        const at = start + tap * windows.dilations[i]!;
        if (at >= low && at < high) inside++;
      }
      return inside;
    }),
  );
  const full = Number(sizeOf(windows.kernel));
  const products = alongAxes.reduce<number[]>(
    (all, axis) => all.flatMap((product) => axis.map((size) => product * size)),
    [1],
  );
  if (products.every((product) => product === full)) return g.constant(full, { type: like.type });
  return g.constant(products, { type: like.type, shape: counts });
}

/**
 * The adjoint of summing disjoint windows that cover everything: each value repeated over its window. By Concat, axis by axis from
 * the last: ONNX Runtime's Expand takes ten times as long for repetitions as short as these.
 */
function repeatOverTiles(g: Builder, values: Value, { kernel }: Windows): Value {
  return kernel.reduceRight((value, size, i) => {
    const axis = i + 2;
    const apart = g.unsqueeze(value, [axis + 1]);
    const repeated = size === 1 ? apart : g.concat(new Array<Value>(size).fill(apart), axis + 1);
    return g.reshape(repeated, value.shape.with(axis, multiplyDims(value.shape[axis]!, size)));
  }, values);
}

/** The adjoint of summing windows in general: spread by the strides, then summed over windows of stride 1. */
function spreadOverWindows(g: Builder, values: Value, windows: Windows, spatial: readonly number[]): Value {
  const axes = spatialAxes(values);
  const apart = spread(g, values, axes, windows.strides);
  const reach = spatial.map((_, i) => footprint(windows, i) - 1);
  const before = reach.map((r, i) => r - windows.before[i]!);
  const after = spatial.map((size, i) => size + reach[i]! - before[i]! - (apart.shape[i + 2] as number));
  const summed = g.node("AveragePool", [padAxes(g, apart, axes, before, after)], {
    kernel_shape: windows.kernel,
    dilations: windows.dilations,
  });
  return g.mul(summed, Number(sizeOf(windows.kernel)));
}

/** The mean over all positions, as the ReduceMean it is. */
const globalAveragePool = defineOp({
  op: "GlobalAveragePool",
  inputs: ["X"],
  infer: ({ inputs: [x] }) => ({ type: x.type, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }),
  simplify: (g, { inputs: [x] }) => g.reduceMean(x, spatialAxes(x), { keepDims: true }),
});

const globalMaxPool = defineOp({
  op: "GlobalMaxPool",
  inputs: ["X"],
  infer: ({ inputs: [x] }) => ({ type: x.type, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }),
  simplify: (g, { inputs: [x] }) => g.reduceMax(x, spatialAxes(x), { keepDims: true }),
});

export const poolingRules: readonly OpRule[] = [maxPool, averagePool, globalAveragePool, globalMaxPool];
