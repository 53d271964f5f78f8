import {
  compileModule,
  f64,
  f64x2,
  FunctionBuilder,
  i32,
  instantiate,
  repeatWhile,
  type Code,
  type CompiledModule,
  type Variable,
} from "@sedge/linalg/assembler";

export const WORD = 8;
const PAIR = 16;
/** Ten pairs of sums: with a factor and a product they fit the sixteen SIMD registers. */
const LANES = Array.from({ length: 10 }, (_, lane) => lane * PAIR);
/** Rows are padded to a multiple of this many numbers. */
export const BLOCK = LANES.length * 2;

/**
 * Addresses in bytes. `rows` lists, for each row, the address of the row and that of its factor, as pairs of 32-bit integers;
 * `counts` how many each step has, at least 1; `factors` is scratch; to each factor one of `noise` is added, `noiseStep` apart.
 * A row comes in `blocks` of BLOCK numbers, `blockStep` apart: the matrix is stored block column by block column, so that a
 * pass over all its rows reads memory from one end to the other.
 */
type StepKernel = (
  z: number,
  v: number,
  constants: number,
  rows: number,
  counts: number,
  factors: number,
  noise: number,
  noiseStep: number,
  steps: number,
  blocks: number,
  blockStep: number,
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
}

let module: CompiledModule | null | undefined;

/** @returns null where there is no WebAssembly with SIMD */
export function rowKernels(words: number): RowKernels | null {
  if (module === undefined) module = compileModule([steps("free"), steps("heavy"), steps("ahead")]);
  if (module === null) return null;
  const { memory, exports } = instantiate(module, words);
  return { memory, ...(exports as Record<"free" | "heavy" | "ahead", StepKernel>) };
}

/** Stores a row where the kernels look for it: its first block at `at`, in words, and each next one `blockStep` further. */
export function setInBlocks(memory: Float64Array, at: number, blockStep: number, row: Float64Array): void {
  for (let from = 0, to = at; from < row.length; from += BLOCK, to += blockStep)
    memory.set(row.subarray(from, from + BLOCK), to);
}

const advance = (pointer: Variable, bytes: number): Code => pointer.set(i32.add(pointer.get, i32.const(bytes)));
const countDown = (counter: Variable): Code => counter.set(i32.subtract(counter.get, i32.const(1)));

function steps(name: "free" | "heavy" | "ahead"): FunctionBuilder {
  const f = new FunctionBuilder(name);
  const parameter = () => f.parameter("i32");
  const [z, v, constants, rows, counts] = [parameter(), parameter(), parameter(), parameter(), parameter()];
  const [factors, noise, noiseStep, left, blocks] = [parameter(), parameter(), parameter(), parameter(), parameter()];
  const blockStep = parameter();
  const local = () => f.local("i32");
  const [count, factorAt, rowAt, rowsLeft, blocksLeft, zAt, vAt, offset, kernelAt] = Array.from({ length: 9 }, local);
  const sums = LANES.map(() => f.local("v128"));
  const factor = f.local("v128");
  const eachRow = (body: Code): Code => [
    rowAt!.set(rows.get),
    factorAt!.set(factors.get),
    rowsLeft!.set(count!.get),
    repeatWhile(rowsLeft!, [body, advance(rowAt!, WORD), advance(factorAt!, WORD), countDown(rowsLeft!)]),
  ];
  const begin =
    name !== "free"
      ? [
          factor.set(f64x2.loadSplat(constants.get)),
          LANES.map((at, lane) => sums[lane]!.set(f64x2.multiply(factor.get, f64x2.load(vAt!.get, at)))),
          factor.set(f64x2.loadSplat(constants.get, WORD)),
          LANES.map((at, lane) =>
            sums[lane]!.set(f64x2.add(sums[lane]!.get, f64x2.multiply(factor.get, f64x2.load(zAt!.get, at)))),
          ),
        ]
      : LANES.map((at, lane) => sums[lane]!.set(f64x2.load(zAt!.get, at)));
  const ahead = [
    // v₋ is read before v takes its place.
    factor.set(f64x2.loadSplat(constants.get, 3 * WORD)),
    LANES.map((at) =>
      f64x2.store(
        zAt!.get,
        f64x2.add(f64x2.load(zAt!.get, at), f64x2.multiply(factor.get, f64x2.load(vAt!.get, at))),
        at,
      ),
    ),
    factor.set(f64x2.loadSplat(constants.get, 2 * WORD)),
    LANES.map((at, lane) => [
      f64x2.store(vAt!.get, sums[lane]!.get, at),
      f64x2.store(zAt!.get, f64x2.add(f64x2.load(zAt!.get, at), f64x2.multiply(factor.get, sums[lane]!.get)), at),
    ]),
  ];
  const heavy = LANES.map((at, lane) => [
    f64x2.store(vAt!.get, sums[lane]!.get, at),
    f64x2.store(zAt!.get, f64x2.add(f64x2.load(zAt!.get, at), sums[lane]!.get), at),
  ]);
  const free = LANES.map((at, lane) => f64x2.store(zAt!.get, sums[lane]!.get, at));
  const end = { free, heavy, ahead }[name];
  f.body = repeatWhile(left, [
    count!.set(i32.load(counts.get)),
    eachRow([
      f64.store(factorAt!.get, f64.add(f64.load(i32.load(rowAt!.get, 4)), f64.load(noise.get))),
      noise.set(i32.add(noise.get, noiseStep.get)),
    ]),
    zAt!.set(z.get),
    vAt!.set(v.get),
    offset!.set(i32.const(0)),
    blocksLeft!.set(blocks.get),
    repeatWhile(blocksLeft!, [
      begin,
      eachRow([
        factor.set(f64x2.loadSplat(factorAt!.get)),
        kernelAt!.set(i32.add(i32.load(rowAt!.get), offset!.get)),
        LANES.map((at, lane) =>
          sums[lane]!.set(f64x2.add(sums[lane]!.get, f64x2.multiply(factor.get, f64x2.load(kernelAt!.get, at)))),
        ),
      ]),
      end,
      advance(zAt!, BLOCK * WORD),
      advance(vAt!, BLOCK * WORD),
      offset!.set(i32.add(offset!.get, blockStep.get)),
      countDown(blocksLeft!),
    ]),
    rows.set(rowAt!.get),
    advance(counts, 4),
    countDown(left),
  ]);
  return f;
}
