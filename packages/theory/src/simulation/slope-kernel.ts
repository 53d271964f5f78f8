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

export const WORD = 8;
const PAIR = 16;
/** Pairs of numbers of a row that a pass works on at a time. */
const LANES = [0, 1];
/** Rows are padded to a multiple of this many numbers. */
export const BLOCK = LANES.length * 2;

/**
 * Addresses in bytes; all rows are `blocks` blocks long, `stride` bytes apart. For each θ: result = base + Σ_p θ_p row_p over the
 * `rows` of the matrix, value = constant + ½ Σ_p (base_p + result_p) θ_p, and where `gradient` is not 0, gradient += value · result.
 * Results and values of two θ follow each other.
 */
type SlopeKernel = (
  matrix: number,
  stride: number,
  rows: number,
  blocks: number,
  base: number,
  constant: number,
  results: number,
  values: number,
  ...thetasAndGradients: number[]
) => void;

export interface SlopeKernels {
  readonly memory: Float64Array;
  /** Of one θ, and of two, which then share what is read of the matrix. */
  readonly one: SlopeKernel;
  readonly two: SlopeKernel;
}

let module: CompiledModule | null | undefined;

/** Memory fresh from the system costs as much to touch as some thirty steps: that of the last simulation is kept, up to this many words. */
const KEPT_WORDS = 2 ** 23;
let idle: SlopeKernels | undefined;

/** @returns kernels with `words` zeros of memory, null where there is no WebAssembly with SIMD */
export function slopeKernels(words: number): SlopeKernels | null {
  if (module === undefined) module = compileModule([slopes("one", 1, 8), slopes("two", 2, 4)]);
  if (module === null) return null;
  if (idle !== undefined && idle.memory.length >= words) {
    const kept = idle;
    idle = undefined;
    kept.memory.fill(0, 0, words);
    return kept;
  }
  const { memory, exports } = instantiate(module, words);
  return { memory, ...(exports as unknown as Omit<SlopeKernels, "memory">) };
}

/** Gives kernels back, whose memory nobody uses any more. */
export function release(kernels: SlopeKernels): void {
  if (kernels.memory.length <= KEPT_WORDS) idle = kernels;
}

const advance = (pointer: Variable, bytes: Code): Code => pointer.set(i32.add(pointer.get, bytes));
const countDown = (counter: Variable): Code => counter.set(i32.subtract(counter.get, i32.const(1)));

/** @param together rows added in one pass: with their factors, `seeds` times as many, they fit the sixteen SIMD registers */
function slopes(name: string, seeds: number, together: number): FunctionBuilder {
  const f = new FunctionBuilder(name);
  const parameter = () => f.parameter("i32");
  const [matrix, stride, rows, blocks] = [parameter(), parameter(), parameter(), parameter()];
  const [base, constant, results, values] = [parameter(), parameter(), parameter(), parameter()];
  const each = Array.from({ length: seeds }, () => ({ theta: parameter(), gradient: parameter() }));
  const local = () => f.local("i32");
  const [left, blocksLeft, baseAt, gradientAt] = [local(), local(), local(), local()];
  const at = each.map(() => ({ theta: local(), result: local() }));
  const pointers = Array.from({ length: together }, local);
  const scales = at.map(() => pointers.map(() => f.local("v128")));
  const loaded = pointers.map(() => f.local("v128"));
  const [sum, half] = [f.local("v128"), f.local("f64")];

  const blockBytes = i32.const(BLOCK * WORD);
  const eachBlock = (moving: readonly Variable[], body: (at: number) => Code): Code => [
    blocksLeft.set(blocks.get),
    repeatWhile(blocksLeft, [
      LANES.map((lane) => body(lane * PAIR)),
      moving.map((pointer) => advance(pointer, blockBytes)),
      countDown(blocksLeft),
    ]),
  ];
  const atResults = at.map(({ result }, s) => [
    result.set(results.get),
    Array.from({ length: s }, () => advance(result, stride.get)),
  ]);
  /** Adds the next `count` rows to every result. */
  const add = (count: number): Code => {
    const used = pointers.slice(0, count);
    return [
      used.map((pointer, b) => [
        pointer.set(matrix.get),
        advance(matrix, stride.get),
        at.map(({ theta }, s) => scales[s]![b]!.set(f64x2.loadSplat(theta.get, b * WORD))),
      ]),
      at.map(({ theta }) => advance(theta, i32.const(count * WORD))),
      atResults,
      eachBlock([...at.map(({ result }) => result), ...used], (lane) => [
        used.map((pointer, b) => loaded[b]!.set(f64x2.load(pointer.get, lane))),
        at.map(({ result }, s) =>
          f64x2.store(
            result.get,
            used.reduce<Code>(
              (partial, _, b) => f64x2.add(partial, f64x2.multiply(scales[s]![b]!.get, loaded[b]!.get)),
              f64x2.load(result.get, lane),
            ),
            lane,
          ),
        ),
      ]),
    ];
  };
  const begin = [
    atResults,
    baseAt.set(base.get),
    eachBlock([baseAt, ...at.map(({ result }) => result)], (lane) =>
      at.map(({ result }) => f64x2.store(result.get, f64x2.load(baseAt.get, lane), lane)),
    ),
  ];
  const finish = at.map(({ theta, result }, s) => [
    ...[baseAt.set(base.get), theta.set(each[s]!.theta.get), atResults[s]!, sum.set(f64x2.zero)],
    eachBlock([baseAt, theta, result], (lane) =>
      sum.set(
        f64x2.add(
          sum.get,
          f64x2.multiply(
            f64x2.add(f64x2.load(baseAt.get, lane), f64x2.load(result.get, lane)),
            f64x2.load(theta.get, lane),
          ),
        ),
      ),
    ),
    half.set(f64x2.sum(sum)),
    f64.store(values.get, f64.add(f64.load(constant.get), f64.multiply(f64.const(0.5), half.get)), s * WORD),
    when(each[s]!.gradient.get, [
      ...[gradientAt.set(each[s]!.gradient.get), atResults[s]!, sum.set(f64x2.loadSplat(values.get, s * WORD))],
      eachBlock([gradientAt, result], (lane) =>
        f64x2.store(
          gradientAt.get,
          f64x2.add(f64x2.load(gradientAt.get, lane), f64x2.multiply(sum.get, f64x2.load(result.get, lane))),
          lane,
        ),
      ),
    ]),
  ]);
  f.body = [
    begin,
    at.map(({ theta }, s) => theta.set(each[s]!.theta.get)),
    when(i32.atLeast(rows.get, i32.const(together)), [
      repeatWhile(left, [
        add(together),
        rows.set(i32.subtract(rows.get, i32.const(together))),
        left.set(i32.atLeast(rows.get, i32.const(together))),
      ]),
    ]),
    Array.from({ length: together - 1 }, (_, less) => when(i32.equal(rows.get, i32.const(less + 1)), add(less + 1))),
    finish,
  ];
  return f;
}
