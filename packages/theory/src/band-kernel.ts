import {
  compileModule,
  f32x4,
  FunctionBuilder,
  i32,
  instantiate,
  repeatWhile,
  type Code,
  type CompiledModule,
  type Variable,
} from "@sedge/linalg/assembler";

/** Examples that the kernel takes at a time, one a lane. */
export const LANES = 4;
const SINGLE = 4;
const QUADRUPLE = LANES * SINGLE;

/**
 * Σ_kj M_k[ij] W_j M_k[ij]ᵀ for LANES examples i at a time, its entries a ≥ b, added to `sums` ([C(C+1)/2, LANES]). Reads the blocks
 * M_k[ij] from `matrices` ([terms, examples, C, C, LANES]) from one end to the other, and W ([examples, C, C]) from `blocks`.
 * Addresses in bytes.
 */
export interface BandKernel {
  readonly memory: Float32Array;
  readonly multiply: (sums: number, matrices: number, blocks: number, terms: number, examples: number) => void;
}

/** Beyond, the C sums of a row are far more than there are registers for. */
const MOST_OUTPUTS = 128;
/** A larger memory is given back to the garbage collector. 256 MB. */
const KEEP_SINGLES = 2 ** 26;
/** No more than this is asked for. 1 GB. */
const MOST_SINGLES = 2 ** 28;

const modules = new Map<number, CompiledModule | null>();
let kept: { readonly outputs: number; readonly kernel: BandKernel } | undefined;

/**
 * A kernel for C outputs over a memory of at least `singles` float32 numbers of unknown content, in use until the next call.
 *
 * @returns null where there is no WebAssembly with SIMD, or that much memory
 */
export function bandKernel(outputs: number, singles: number): BandKernel | null {
  if (outputs > MOST_OUTPUTS || singles > MOST_SINGLES) return null;
  if (kept?.outputs === outputs && kept.kernel.memory.length >= singles) return kept.kernel;
  let module = modules.get(outputs);
  if (module === undefined) modules.set(outputs, (module = compileModule([multiply(outputs)])));
  if (module === null) return null;
  let instance: ReturnType<typeof instantiate>;
  try {
    instance = instantiate(module, Math.ceil(singles / 2));
  } catch {
    return null;
  }
  const { memory, exports } = instance;
  const kernel = {
    memory: new Float32Array(memory.buffer),
    multiply: exports["multiply"] as BandKernel["multiply"],
  };
  if (singles <= KEEP_SINGLES) kept = { outputs, kernel };
  return kernel;
}

const advance = (pointer: Variable, bytes: number): Code => pointer.set(i32.add(pointer.get, i32.const(bytes)));
const countDown = (counter: Variable): Code => counter.set(i32.subtract(counter.get, i32.const(1)));

/** Row a of M W is summed up in C registers, and then dotted with the rows b ≤ a of M. */
function multiply(outputs: number): FunctionBuilder {
  const f = new FunctionBuilder("multiply");
  const parameter = () => f.parameter("i32");
  const [sums, matrices, blocks, termsLeft, examples] = [
    parameter(),
    parameter(),
    parameter(),
    parameter(),
    parameter(),
  ];
  const local = () => f.local("i32");
  const [examplesLeft, rowsLeft, innerLeft, rowCount] = [local(), local(), local(), local()];
  const [blockAt, blockRow, row, other, sumAt] = [local(), local(), local(), local(), local()];
  const [even, odd, entry] = [f.local("v128"), f.local("v128"), f.local("v128")];
  const products = Array.from({ length: outputs }, () => f.local("v128"));
  const rowBytes = outputs * QUADRUPLE;
  const rowOfProduct: Code = [
    products.map((product) => product.set(f32x4.zero)),
    blockRow.set(blockAt.get),
    innerLeft.set(i32.const(outputs)),
    repeatWhile(innerLeft, [
      entry.set(f32x4.load(row.get)),
      products.map((product, d) =>
        product.set(f32x4.add(product.get, f32x4.multiply(entry.get, f32x4.loadSplat(blockRow.get, d * SINGLE)))),
      ),
      advance(row, QUADRUPLE),
      advance(blockRow, outputs * SINGLE),
      countDown(innerLeft),
    ]),
  ];
  const dots: Code = [
    other.set(matrices.get),
    innerLeft.set(rowCount.get),
    repeatWhile(innerLeft, [
      // Two sums, which do not wait for each other.
      even.set(f32x4.load(sumAt.get)),
      odd.set(f32x4.zero),
      products.map((product, d) => {
        const sum = d % 2 === 0 ? even : odd;
        return sum.set(f32x4.add(sum.get, f32x4.multiply(product.get, f32x4.load(other.get, d * QUADRUPLE))));
      }),
      f32x4.store(sumAt.get, f32x4.add(even.get, odd.get)),
      advance(sumAt, QUADRUPLE),
      advance(other, rowBytes),
      countDown(innerLeft),
    ]),
  ];
  f.body = repeatWhile(termsLeft, [
    blockAt.set(blocks.get),
    examplesLeft.set(examples.get),
    repeatWhile(examplesLeft, [
      row.set(matrices.get),
      sumAt.set(sums.get),
      rowCount.set(i32.const(1)),
      rowsLeft.set(i32.const(outputs)),
      repeatWhile(rowsLeft, [rowOfProduct, dots, advance(rowCount, 1), countDown(rowsLeft)]),
      matrices.set(row.get),
      blockAt.set(blockRow.get),
      countDown(examplesLeft),
    ]),
    countDown(termsLeft),
  ]);
  return f;
}
