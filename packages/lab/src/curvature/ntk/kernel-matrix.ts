/** Blocks of a kernel as the engine makes them, put in their places in float64. */

/** The examples and directions of one side of a block. */
export interface KernelBlock {
  readonly firstExample: number;
  readonly examples: number;
  readonly firstDirection: number;
  readonly directions: number;
}

/** Rows and columns of the tiles in which a matrix is mirrored: both fit in the fastest cache. */
const TILE = 32;

/**
 * Adds a block [S, S', n, m] of J Jᵀ, divided by the number of examples, to what is at its place in Θ [N·C, N·C],
 * example-major, and writes its transpose to the mirrored place. A block of one side with itself is made symmetric by its upper half: a float32 product
 * need not be, to the last bit.
 */
export function placeBlock(
  matrix: Float64Array,
  whole: { readonly examples: number; readonly directions: number },
  block: ArrayLike<number>,
  left: KernelBlock,
  right: KernelBlock,
): void {
  const { examples, directions: outputs } = whole;
  const size = examples * outputs;
  const [n, m] = [left.examples, right.examples];
  const count = right.directions;
  const factor = 1 / examples;
  for (let i = 0; i < n; i++) {
    for (let s = 0; s < left.directions; s++) {
      const to = rowOf(i, s, left, outputs) * size + right.firstExample * outputs + right.firstDirection;
      const from = (s * count * n + i) * m;
      // The numbers of one row come from `count` places that are each read on and on: fast, whatever the sizes.
      for (let j = 0; j < m; j++) {
        for (let t = 0; t < count; t++) matrix[to + j * outputs + t]! += factor * block[from + t * n * m + j]!;
      }
    }
  }
  mirror(matrix, size, rowsOf(left, outputs), left === right ? null : rowsOf(right, outputs));
}

const rowOf = (i: number, s: number, { firstExample, firstDirection }: KernelBlock, outputs: number): number =>
  (firstExample + i) * outputs + firstDirection + s;

const rowsOf = (side: KernelBlock, outputs: number): Int32Array =>
  Int32Array.from({ length: side.examples * side.directions }, (_, k) =>
    rowOf(Math.floor(k / side.directions), k % side.directions, side, outputs),
  );

/** Copies the numbers at `rows` × `columns` to `columns` × `rows`; without columns, those above the diagonal to below it. */
function mirror(matrix: Float64Array, size: number, rows: Int32Array, columns: Int32Array | null): void {
  const across = columns ?? rows;
  for (let top = 0; top < rows.length; top += TILE) {
    const bottom = Math.min(top + TILE, rows.length);
    for (let start = columns ? 0 : top; start < across.length; start += TILE) {
      const end = Math.min(start + TILE, across.length);
      for (let a = top; a < bottom; a++) {
        const row = rows[a]!;
        for (let k = columns ? start : Math.max(start, a + 1); k < end; k++) {
          const column = across[k]!;
          matrix[column * size + row] = matrix[row * size + column]!;
        }
      }
    }
  }
}
