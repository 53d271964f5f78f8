import {
  compileModule,
  f64,
  f64x2,
  FunctionBuilder,
  i32,
  instantiate,
  repeatWhile,
  when,
  type Code,
  type CompiledModule,
  type Variable,
} from "@sedge/linalg/assembler";
import { drawKernel, type DrawKernel } from "./draw-kernel.js";

export const WORD = 8;
const PAIR = 16;
/** Pairs of sums that a pass over some rows has open at a time. */
const LANES = [0, 1];
/** Rows are padded to a multiple of this many numbers. */
export const BLOCK = LANES.length * 2;
/** Rows added in one pass over the sums: with their factors, a sum and a product, they fit the sixteen SIMD registers. */
const TOGETHER = 8;

/**
 * Addresses in bytes. Row i is at `matrix` + i·`stride`, its factor at `source` + 8i; `rows` names the rows of each step, one step
 * after another, as 32-bit integers, `counts` how many each step has; `factors` is scratch; to each factor one of `noise` is added,
 * `noiseStep` apart. A row has `blocks` of BLOCK numbers. Both `steps` and `blocks` are at least 1.
 */
type StepKernel = (
  z: number,
  v: number,
  constants: number,
  source: number,
  matrix: number,
  stride: number,
  rows: number,
  counts: number,
  factors: number,
  noise: number,
  noiseStep: number,
  steps: number,
  blocks: number,
) => void;

/** Kernels with a memory of their own. */
export interface RowKernels {
  readonly memory: Float64Array;
  /** Each step: z ← z + Σ_b factor_b row_b. */
  readonly free: StepKernel;
  /** Each step: v ← constants[0] v + constants[1] z + Σ_b factor_b row_b, z ← z + v. */
  readonly heavy: StepKernel;
  /** The same, with z ← z + constants[2] v + constants[3] v₋, v₋ being v before the step. */
  readonly ahead: StepKernel;
  /** Draws batches for the steps, with and without replacement. */
  readonly drawWith: DrawKernel;
  readonly drawWithout: DrawKernel;
}

let module: CompiledModule | null | undefined;

/** @returns null where there is no WebAssembly with SIMD */
export function rowKernels(words: number): RowKernels | null {
  if (module === undefined)
    module = compileModule([
      ...[steps("free"), steps("heavy"), steps("ahead")],
      ...[drawKernel("drawWith"), drawKernel("drawWithout")],
    ]);
  if (module === null) return null;
  const { memory, exports } = instantiate(module, words);
  return { memory, ...(exports as unknown as Omit<RowKernels, "memory">) };
}

const advance = (pointer: Variable, bytes: number): Code => pointer.set(i32.add(pointer.get, i32.const(bytes)));
const countDown = (counter: Variable, by = 1): Code => counter.set(i32.subtract(counter.get, i32.const(by)));

function steps(name: "free" | "heavy" | "ahead"): FunctionBuilder {
  const f = new FunctionBuilder(name);
  const parameter = () => f.parameter("i32");
  const [z, v, constants, source, matrix, stride] = [1, 2, 3, 4, 5, 6].map(parameter) as SixVariables;
  const [rows, counts, factors, noise, noiseStep, left] = [1, 2, 3, 4, 5, 6].map(parameter) as SixVariables;
  const blocks = parameter();
  const local = () => f.local("i32");
  const [count, factorAt, rowsAt, blocksLeft, zAt, vAt] = [1, 2, 3, 4, 5, 6].map(local) as SixVariables;
  const pointers = Array.from({ length: TOGETHER }, local);
  const scales = Array.from({ length: TOGETHER }, () => f.local("v128"));
  const [carry, drag] = [f.local("v128"), f.local("v128")];
  // The sums are taken in v where it is kept.
  const [target, targetAt] = name === "free" ? [z, zAt] : [v, vAt];

  const readFactors = when(count.get, [
    rowsAt.set(rows.get),
    factorAt.set(factors.get),
    blocksLeft.set(count.get),
    repeatWhile(blocksLeft, [
      f64.store(
        factorAt.get,
        f64.add(f64.load(i32.add(source.get, i32.shiftLeft(i32.load(rowsAt.get), i32.const(3)))), f64.load(noise.get)),
      ),
      noise.set(i32.add(noise.get, noiseStep.get)),
      advance(rowsAt, 4),
      advance(factorAt, WORD),
      countDown(blocksLeft),
    ]),
  ]);
  const eachBlock = (body: (at: number) => Code): Code => [
    zAt.set(z.get),
    vAt.set(v.get),
    blocksLeft.set(blocks.get),
    repeatWhile(blocksLeft, [
      LANES.map((lane) => body(lane * PAIR)),
      advance(zAt, BLOCK * WORD),
      advance(vAt, BLOCK * WORD),
      countDown(blocksLeft),
    ]),
  ];
  const zOf = (at: number): Code => f64x2.load(zAt.get, at);
  const vOf = (at: number): Code => f64x2.load(vAt.get, at);
  const scaled = (scale: Variable, value: Code): Code => f64x2.multiply(scale.get, value);
  const begin = [
    carry.set(f64x2.loadSplat(constants.get)),
    drag.set(f64x2.loadSplat(constants.get, WORD)),
    scales[0]!.set(f64x2.loadSplat(constants.get, 3 * WORD)),
    // z takes its part of v₋ before v is anything else, and v its part of z before that.
    eachBlock((at) => [
      scales[1]!.set(f64x2.add(scaled(carry, vOf(at)), scaled(drag, zOf(at)))),
      name === "ahead" ? f64x2.store(zAt.get, f64x2.add(zOf(at), scaled(scales[0]!, vOf(at))), at) : [],
      f64x2.store(vAt.get, scales[1]!.get, at),
    ]),
  ];
  const end =
    name === "ahead"
      ? [
          carry.set(f64x2.loadSplat(constants.get, 2 * WORD)),
          eachBlock((at) => f64x2.store(zAt.get, f64x2.add(zOf(at), scaled(carry, vOf(at))), at)),
        ]
      : eachBlock((at) => f64x2.store(zAt.get, f64x2.add(zOf(at), vOf(at)), at));
  /** Adds the next `together` rows. */
  const add = (together: number): Code => {
    const used = pointers.slice(0, together);
    return [
      used.map((pointer, b) => [
        pointer.set(i32.add(matrix.get, i32.multiply(i32.load(rows.get, 4 * b), stride.get))),
        scales[b]!.set(f64x2.loadSplat(factorAt.get, b * WORD)),
      ]),
      advance(rows, 4 * together),
      advance(factorAt, WORD * together),
      targetAt.set(target.get),
      blocksLeft.set(blocks.get),
      repeatWhile(blocksLeft, [
        LANES.map((lane) => {
          const at = lane * PAIR;
          const sum = used.reduce<Code>(
            (partial, pointer, b) => f64x2.add(partial, scaled(scales[b]!, f64x2.load(pointer.get, at))),
            f64x2.load(targetAt.get, at),
          );
          return f64x2.store(targetAt.get, sum, at);
        }),
        advance(targetAt, BLOCK * WORD),
        used.map((pointer) => advance(pointer, BLOCK * WORD)),
        countDown(blocksLeft),
      ]),
    ];
  };
  const more = f.local("i32");
  f.body = repeatWhile(left, [
    count.set(i32.load(counts.get)),
    readFactors,
    name === "free" ? [] : begin,
    factorAt.set(factors.get),
    when(
      i32.atLeast(count.get, i32.const(TOGETHER)),
      repeatWhile(more, [
        add(TOGETHER),
        countDown(count, TOGETHER),
        more.set(i32.atLeast(count.get, i32.const(TOGETHER))),
      ]),
    ),
    Array.from({ length: TOGETHER - 1 }, (_, less) => when(i32.equal(count.get, i32.const(less + 1)), add(less + 1))),
    name === "free" ? [] : end,
    advance(counts, 4),
    countDown(left),
  ]);
  return f;
}

type SixVariables = [Variable, Variable, Variable, Variable, Variable, Variable];
