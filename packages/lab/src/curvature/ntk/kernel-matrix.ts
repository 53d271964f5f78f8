/** Blocks of a kernel as the engine makes them, put in their places in float64. */

/** The examples and directions of one side of a block. */
export interface KernelBlock {
  readonly firstExample: number;
  readonly examples: number;
  readonly firstDirection: number;
  readonly directions: number;
}

/**
 * Adds a block [S, S', n, m] of J Jᵀ, divided by the number of examples, to Θ [N·C, N·C], example-major, and its transpose
 * to the mirrored place. A block on the diagonal is made symmetric: a float32 product need not be, to the last bit.
 */
export function addBlock(
  matrix: Float64Array,
  whole: { readonly examples: number; readonly directions: number },
  block: ArrayLike<number>,
  left: KernelBlock,
  right: KernelBlock,
): void {
  const { examples, directions: outputs } = whole;
  const size = examples * outputs;
  const [n, m] = [left.examples, right.examples];
  const isDiagonal = left === right;
  const factor = isDiagonal ? 0.5 / examples : 1 / examples;
  for (let s = 0; s < left.directions; s++) {
    for (let t = 0; t < right.directions; t++) {
      const from = (s * right.directions + t) * n * m;
      for (let i = 0; i < n; i++) {
        const row = (left.firstExample + i) * outputs + left.firstDirection + s;
        for (let j = 0; j < m; j++) {
          const column = (right.firstExample + j) * outputs + right.firstDirection + t;
          const value = factor * block[from + i * m + j]!;
          matrix[row * size + column]! += value;
          matrix[column * size + row]! += value;
        }
      }
    }
  }
}
