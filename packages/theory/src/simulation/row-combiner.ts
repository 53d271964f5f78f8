import { BLOCK, rowKernels, WORD } from "./row-kernels.js";

/** Combinations of the rows of many matrices with the same coefficients: the products Q_i θ of a quadratic model. */
export interface RowCombiner {
  /** x, [rows]. To be set before `combine`. */
  readonly coefficients: Float64Array;
  /** The last result, [columns]. */
  readonly result: Float64Array;
  /** result = base_i + Σ_p x_p M_i[p], in this order of p. */
  readonly combine: (matrix: number) => void;
}

/**
 * @param matrices M, [count, rows, columns]
 * @param bases [count, columns]
 */
export function rowCombiner(matrices: Float64Array, bases: Float64Array, rows: number, columns: number): RowCombiner {
  const count = bases.length / columns;
  const stride = Math.ceil(columns / BLOCK) * BLOCK;
  // In words: a zero, a count, the result, x, the factors, c, M, and the list of all rows.
  const [zero, steps, result] = [0, 1, 2];
  const coefficients = result + stride;
  const factors = coefficients + rows;
  const base = factors + rows;
  const matrix = base + count * stride;
  const list = matrix + count * rows * stride;
  const kernels = rowKernels(list + rows);
  if (kernels === null) return plainRowCombiner(matrices, bases, rows, columns);
  const { memory, free } = kernels;
  const integers = new Int32Array(memory.buffer);
  integers[2 * steps] = rows;
  for (let p = 0; p < rows; p++) integers[2 * list + p] = p;
  for (let i = 0; i < count; i++) memory.set(bases.subarray(i * columns, (i + 1) * columns), base + i * stride);
  for (let row = 0; row < count * rows; row++)
    memory.set(matrices.subarray(row * columns, (row + 1) * columns), matrix + row * stride);
  return {
    coefficients: memory.subarray(coefficients, coefficients + rows),
    result: memory.subarray(result, result + columns),
    combine(i) {
      memory.copyWithin(result, base + i * stride, base + (i + 1) * stride);
      const at = matrix + i * rows * stride;
      free(
        ...[result * WORD, 0, 0, coefficients * WORD, at * WORD, stride * WORD],
        ...[list * WORD, steps * WORD, factors * WORD, zero * WORD, 0, 1, stride / BLOCK],
      );
    },
  };
}

/** `rowCombiner` without WebAssembly, with the same results to the last bit. */
export function plainRowCombiner(
  matrices: Float64Array,
  bases: Float64Array,
  rows: number,
  columns: number,
): RowCombiner {
  const coefficients = new Float64Array(rows);
  const result = new Float64Array(columns);
  return {
    coefficients,
    result,
    combine(i) {
      result.set(bases.subarray(i * columns, (i + 1) * columns));
      let at = i * rows * columns;
      for (let p = 0; p < rows; p++) {
        const factor = coefficients[p]!;
        for (let k = 0; k < columns; k++) result[k]! += factor * matrices[at++]!;
      }
    },
  };
}
