import { type Code, f64, f64x2, FunctionBuilder, i32, repeatWhile, type Variable } from "./assembler.js";
import type { Kernels } from "./kernels.js";
import { type CompiledModule, compileModule, instantiate } from "./module.js";

const WORD = 8;
const PAIR = 16;

/**
 * The kernels as WebAssembly with two float64 lanes, assembled on first use.
 *
 * @param words size of the memory
 * @returns null where the engine has no WebAssembly SIMD, or a content security policy forbids compiling it
 */
export function createWasmKernels(words: number): Kernels | null {
  if (module === undefined) module = compileModule([strip(), symmetricRows(), dots(), combine()]);
  if (module === null) return null;
  const { memory, exports } = instantiate(module, words);
  const call = exports as Record<Exclude<keyof Kernels, "name" | "memory">, (...bytes: number[]) => void>;
  return {
    name: "wasm",
    memory,
    strip(c, rowLength, a, b, tiles, inner, panelLength = inner) {
      const skip = 4 * (panelLength - inner);
      if (tiles > 0 && inner > 0) call.strip(c * WORD, rowLength * WORD, a * WORD, b * WORD, tiles, inner, skip * WORD);
    },
    symmetricRows(a, rowLength, x, y, count) {
      if (count > 0) call.symmetricRows(a * WORD, rowLength * WORD, x * WORD, y * WORD, (count + 1) >> 1);
    },
    dots(t, v, rowLength, x, count) {
      if (count > 0) call.dots(t * WORD, v * WORD, rowLength * WORD, x * WORD, (count + 1) >> 1);
    },
    combine(y, v, rowLength, t, count) {
      if (count > 0) call.combine(y * WORD, v * WORD, rowLength * WORD, t * WORD, (count + 1) >> 1);
    },
  };
}

let module: CompiledModule | null | undefined;

const advance = (pointer: Variable, bytes: number): Code => pointer.set(i32.add(pointer.get, i32.const(bytes)));
const countDown = (counter: Variable): Code => counter.set(i32.subtract(counter.get, i32.const(1)));
const FOUR = [0, 1, 2, 3] as const;

/** Eight accumulators, a 4×4 tile: of the sixteen SIMD registers, with the operands, none is spilled to memory. */
function strip(): FunctionBuilder {
  const f = new FunctionBuilder("strip");
  const [c, rowLength, a, b, tiles, inner, skip] = parameters(f, 7);
  const panel = f.local("i32");
  const left = f.local("i32");
  const tile = FOUR.map(() => [f.local("v128"), f.local("v128")] as const);
  const [b0, b1, factor] = [f.local("v128"), f.local("v128"), f.local("v128")];
  f.body = repeatWhile(tiles, [
    panel.set(b.get),
    left.set(inner.get),
    tile.flat().map((sum) => sum.set(f64x2.zero)),
    repeatWhile(left, [
      b0.set(f64x2.load(panel.get)),
      b1.set(f64x2.load(panel.get, PAIR)),
      tile.map(([sum0, sum1], row) => [
        factor.set(f64x2.loadSplat(a.get, row * WORD)),
        sum0.set(f64x2.add(sum0.get, f64x2.multiply(factor.get, b0.get))),
        sum1.set(f64x2.add(sum1.get, f64x2.multiply(factor.get, b1.get))),
      ]),
      advance(a, 4 * WORD),
      advance(panel, 4 * WORD),
      countDown(left),
    ]),
    tile.map(([sum0, sum1]) => [
      f64x2.store(c.get, f64x2.add(f64x2.load(c.get), sum0.get)),
      f64x2.store(c.get, f64x2.add(f64x2.load(c.get, PAIR), sum1.get), PAIR),
      c.set(i32.add(c.get, rowLength.get)),
    ]),
    a.set(i32.add(a.get, skip.get)),
    countDown(tiles),
  ]);
  return f;
}

function symmetricRows(): FunctionBuilder {
  const f = new FunctionBuilder("symmetricRows");
  const [a, rowLength, x, y, pairs] = parameters(f, 5);
  const rows = rowPointers(f);
  const top = f.local("i32");
  const sums = FOUR.map(() => f.local("v128"));
  const factors = FOUR.map(() => f.local("v128"));
  const [xs, ys, entries] = [f.local("v128"), f.local("v128"), f.local("v128")];
  f.body = [
    pointAt(rows, a, rowLength),
    top.set(y.get),
    FOUR.map((row) => [sums[row]!.set(f64x2.zero), factors[row]!.set(f64x2.loadSplat(x.get, row * WORD))]),
    advance(x, 4 * WORD),
    advance(y, 4 * WORD),
    repeatWhile(pairs, [
      xs.set(f64x2.load(x.get)),
      ys.set(f64x2.load(y.get)),
      FOUR.map((row) => [
        entries.set(f64x2.load(rows[row]!.get)),
        sums[row]!.set(f64x2.add(sums[row]!.get, f64x2.multiply(entries.get, xs.get))),
        ys.set(f64x2.add(ys.get, f64x2.multiply(entries.get, factors[row]!.get))),
        advance(rows[row]!, PAIR),
      ]),
      f64x2.store(y.get, ys.get),
      advance(x, PAIR),
      advance(y, PAIR),
      countDown(pairs),
    ]),
    FOUR.map((row) => f64.store(top.get, f64.add(f64.load(top.get, row * WORD), f64x2.sum(sums[row]!)), row * WORD)),
  ];
  return f;
}

function dots(): FunctionBuilder {
  const f = new FunctionBuilder("dots");
  const [t, v, rowLength, x, pairs] = parameters(f, 5);
  const rows = rowPointers(f);
  const sums = FOUR.map(() => f.local("v128"));
  const xs = f.local("v128");
  f.body = [
    pointAt(rows, v, rowLength),
    sums.map((sum) => sum.set(f64x2.zero)),
    repeatWhile(pairs, [
      xs.set(f64x2.load(x.get)),
      FOUR.map((row) => [
        sums[row]!.set(f64x2.add(sums[row]!.get, f64x2.multiply(f64x2.load(rows[row]!.get), xs.get))),
        advance(rows[row]!, PAIR),
      ]),
      advance(x, PAIR),
      countDown(pairs),
    ]),
    FOUR.map((row) => f64.store(t.get, f64x2.sum(sums[row]!), row * WORD)),
  ];
  return f;
}

function combine(): FunctionBuilder {
  const f = new FunctionBuilder("combine");
  const [y, v, rowLength, t, pairs] = parameters(f, 5);
  const rows = rowPointers(f);
  const factors = FOUR.map(() => f.local("v128"));
  const ys = f.local("v128");
  f.body = [
    pointAt(rows, v, rowLength),
    FOUR.map((row) => factors[row]!.set(f64x2.loadSplat(t.get, row * WORD))),
    repeatWhile(pairs, [
      ys.set(f64x2.load(y.get)),
      FOUR.map((row) => [
        ys.set(f64x2.add(ys.get, f64x2.multiply(f64x2.load(rows[row]!.get), factors[row]!.get))),
        advance(rows[row]!, PAIR),
      ]),
      f64x2.store(y.get, ys.get),
      advance(y, PAIR),
      countDown(pairs),
    ]),
  ];
  return f;
}

type Five = [Variable, Variable, Variable, Variable, Variable];

function parameters(f: FunctionBuilder, count: 5): Five;
function parameters(f: FunctionBuilder, count: 7): [...Five, Variable, Variable];
function parameters(f: FunctionBuilder, count: number): Variable[] {
  return Array.from({ length: count }, () => f.parameter("i32"));
}

/** Pointers into four consecutive rows. */
function rowPointers(f: FunctionBuilder): readonly Variable[] {
  return FOUR.map(() => f.local("i32"));
}

function pointAt(rows: readonly Variable[], first: Variable, rowLength: Variable): Code {
  return rows.map((row, index) => row.set(index === 0 ? first.get : i32.add(rows[index - 1]!.get, rowLength.get)));
}
