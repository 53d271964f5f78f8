/**
 * Convolutions of 3×3 kernels in fewer multiplications (Winograd; Lavin and Gray 2016). Output is made in tiles of m × m,
 * each from the (m + 2) × (m + 2) inputs it sees. With d such a window, k a kernel, ȳ a tile of cotangents, in each axis
 *
 *     y = Aᵀ[(G k) ∘ (Bᵀ d)]        k̄ = Gᵀ[(A ȳ) ∘ (Bᵀ d)]
 *
 * and summed over channels, or examples and tiles, ∘ becomes a matrix product for each of the (m + 2)² places: 4 times
 * fewer multiplications than the convolution has for m = 4, and 2.25 times for m = 2, for transforms that are products
 * with small matrices. Rounding errors are those of a plain convolution for m = 2, some five times larger for m = 4.
 */
import type { Builder } from "../builder/builder.js";
import { isStatic, multiplyDims, type Dim } from "../ir/dims.js";
import { constantOf, producer, type Value } from "../ir/graph.js";
import { numbersOf, tensor, type Tensor } from "../ir/tensor.js";
import { permutation } from "./layout.js";
import { channelsLast, channelsSecond } from "./window-rows.js";
import { padAxes, type Windows } from "./windows.js";
import { once } from "./shared-constants.js";

/** What a tile of one size is computed with. */
interface Tiling {
  /** m. */
  readonly tile: 2 | 4;
  /** Aᵀ [m, m + 2], Bᵀ [m + 2, m + 2], G [m + 2, 3]. */
  readonly output: Matrix;
  readonly input: Matrix;
  readonly kernel: Matrix;
}

type Matrix = readonly (readonly number[])[];

const tilings: Readonly<Record<2 | 4, Tiling>> = {
  2: {
    tile: 2,
    output: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
    input: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    kernel: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
  },
  4: {
    tile: 4,
    output: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
    input: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    kernel: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
  },
};

/** With fewer channels than this the transforms cost more than they save. */
const ENOUGH_CHANNELS = 64;

/** Whether a convolution is one of 3×3 taps side by side, with enough channels to gain. */
export function winogradPays(
  { kernel, strides, dilations }: Pick<Windows, "kernel" | "strides" | "dilations">,
  group: number,
  inputs: number,
  outputs: number,
): boolean {
  return isPlain({ kernel, strides, dilations }, group) && Math.min(inputs, outputs) >= ENOUGH_CHANNELS;
}

const isPlain = ({ kernel, strides, dilations }: Pick<Windows, "kernel" | "strides" | "dilations">, group: number) =>
  kernel.length === 2 && kernel.every((size) => size === 3) && [...strides, ...dilations, group].every((n) => n === 1);

/** m: larger tiles save more, but reach further over the edge of small images. */
export const tileSize = (counts: readonly number[]): 2 | 4 => (Math.max(...counts) > 6 ? 4 : 2);

/** Conv(X, W) without bias. `counts` are the sizes of the spatial axes of the result. */
export function winogradConvolution(
  g: Builder,
  x: Value,
  w: Value,
  windows: Windows,
  counts: readonly number[],
  tile = tileSize(counts),
): Value {
  const tiling = tilings[tile];
  const places = (tile + 2) ** 2;
  const [examples, inputs] = x.shape as readonly [Dim, number];
  const outputs = w.shape[0] as number;
  const tiles = tilesAlong(counts, tile);
  const windowsOfTiles = transformedWindows(g, x, windows, counts, tiling);
  const { original, turned } = untwisted(w);
  const kernel = turned ? tiling.kernel.map((row) => row.toReversed()) : tiling.kernel;
  const kernels = g.gemm(matrix(g, square(kernel), x), g.reshape(original, [inputs * outputs, 9]), null, { transB: 1 });
  const products = turned
    ? g.matMul(windowsOfTiles, g.reshape(kernels, [places, inputs, outputs]))
    : g.matMul(windowsOfTiles, g.transposeLast(g.reshape(kernels, [places, outputs, inputs])));

  const count = tiles[0]! * tiles[1]!;
  const all = multiplyDims(examples, outputs * count);
  const results = g.gemm(matrix(g, square(tiling.output), x), g.reshape(products, [places, all]));
  const apart = g.transpose(g.reshape(results, [tile, tile, ...tiles, examples, outputs]), [4, 2, 0, 3, 1, 5]);
  const whole = g.reshape(apart, [examples, ...tiles.map((each) => each * tile), outputs]);
  return channelsSecond(
    g,
    counts.reduce((value, each, i) => cutTo(g, value, i + 1, each), whole),
  );
}

/** The adjoint in the weights, W̄ [K, C, 3, 3] from X and Ȳ. It shares the transform of X with the convolution itself. */
export function winogradWeights(
  g: Builder,
  x: Value,
  dy: Value,
  windows: Windows,
  counts: readonly number[],
  tile = tileSize(counts),
): Value {
  const tiling = tilings[tile];
  const places = (tile + 2) ** 2;
  const [examples, outputs] = dy.shape as readonly [Dim, number];
  const inputs = x.shape[1] as number;
  const tiles = tilesAlong(counts, tile);
  const count = tiles[0]! * tiles[1]!;
  const padded = padAxes(
    g,
    channelsLast(g, dy),
    [1, 2],
    [0, 0],
    tiles.map((each, i) => each * tile - counts[i]!),
  );
  const apart = g.reshape(padded, [examples, tiles[0]!, tile, tiles[1]!, tile, outputs]);
  const rows = g.reshape(g.transpose(apart, [2, 4, 1, 3, 0, 5]), [
    tile * tile,
    multiplyDims(examples, outputs * count),
  ]);
  const transform = matrix(g, transposed(square(tiling.output)), x);
  const cotangents = g.reshape(g.gemm(transform, rows), [places, multiplyDims(examples, count), outputs]);
  const products = g.matMul(g.transposeLast(cotangents), transformedWindows(g, x, windows, counts, tiling));
  const taps = g.gemm(g.reshape(products, [places, outputs * inputs]), matrix(g, square(tiling.kernel), x), null, {
    transA: 1,
  });
  return g.reshape(taps, [outputs, inputs, 3, 3]);
}

/** Bᵀ d of every window: [(m + 2)², tiles·n, C]. */
function transformedWindows(
  g: Builder,
  x: Value,
  { before }: Windows,
  counts: readonly number[],
  tiling: Tiling,
): Value {
  const { tile } = tiling;
  const [examples, channels] = x.shape as readonly [Dim, number];
  const tiles = tilesAlong(counts, tile);
  const sizes = tiles.map((each) => each * tile + 2);
  const after = sizes.map((size, i) => size - before[i]! - (x.shape[i + 2] as number));
  const padded = padAxes(g, channelsLast(g, x), [1, 2], before, after);
  // What belongs to a position lies together then, so that windows are copies of long pieces.
  const rows = g.transpose(g.reshape(padded, [examples, sizes[0]! * sizes[1]!, channels]), [1, 0, 2]);
  const seen = g.gather(rows, g.constant(positionsOfTiles(tile, tiles, sizes)));
  const count = tiles[0]! * tiles[1]!;
  const places = (tile + 2) ** 2;
  const all = multiplyDims(examples, channels * count);
  const product = g.gemm(matrix(g, square(tiling.input), x), g.reshape(seen, [places, all]));
  return g.reshape(product, [places, multiplyDims(examples, count), channels]);
}

/** For each place in a window, where each tile's window has it. */
function positionsOfTiles(tile: number, tiles: readonly number[], sizes: readonly number[]): Tensor {
  return once(`positions/${tile}/${sizes.join("x")}`, () => {
    const positions: number[] = [];
    for (let row = 0; row < tile + 2; row++) {
      for (let column = 0; column < tile + 2; column++) {
        for (let i = 0; i < tiles[0]!; i++) {
          for (let j = 0; j < tiles[1]!; j++) positions.push((i * tile + row) * sizes[1]! + j * tile + column);
        }
      }
    }
    return tensor(positions, [positions.length], "int64");
  });
}

const tilesAlong = (counts: readonly number[], tile: number): number[] =>
  counts.map((count) => Math.ceil(count / tile));

const cutTo = (g: Builder, x: Value, axis: number, count: number): Value =>
  x.shape[axis] === count ? x : g.slice(x, axis, 0, count);

/**
 * What W was made from, where W is a kernel turned round with its channels exchanged, as the input's cotangent has it: that is
 * left to the transform, which then gives the channels in the order of the original.
 */
function untwisted(w: Value): { original: Value; turned: boolean } {
  const exchanged = producer(w);
  const reversed = exchanged?.op === "Transpose" ? producer(exchanged.inputs[0]!) : null;
  const perm = reversed && permutation(exchanged!.attributes.perm as readonly number[] | undefined, w);
  const turned = perm?.join() === "1,0,2,3" && reversed?.op === "Slice" && reversesTaps(reversed.inputs);
  return turned ? { original: reversed.inputs[0]!, turned } : { original: w, turned: false };
}

/** Whether a Slice with these inputs reverses the last two of four axes, whole. */
function reversesTaps([, starts, ends, axes, steps]: readonly (Value | null)[]): boolean {
  const [from, to, along, by] = [starts, ends, axes, steps].map((value) => {
    const held = constantOf(value);
    return held && numbersOf(held);
  });
  return (
    from?.join() === "-1,-1" &&
    by?.join() === "-1,-1" &&
    along?.join() === "2,3" &&
    to!.every((end) => end < -(2 ** 30))
  );
}

/** M ⊗ M: the transform of both axes. */
const square = (m: Matrix): Matrix =>
  m.flatMap((left) => m.map((right) => left.flatMap((a) => right.map((b) => a * b))));

const transposed = (m: Matrix): Matrix => m[0]!.map((_, column) => m.map((row) => row[column]!));

/** A constant of the type of `like` that keeps its digits where the graph is converted to float64. */
const matrix = (g: Builder, m: Matrix, like: Value): Value =>
  g.cast(
    g.constant(once(`matrix/${m.join()}`, () => tensor(Float64Array.from(m.flat()), [m.length, m[0]!.length]))),
    like.type,
  );

/** Whether spatial sizes are known, which tiles need. */
export const canTile = (x: Value): boolean => x.shape.length === 4 && isStatic(x.shape.slice(1));
