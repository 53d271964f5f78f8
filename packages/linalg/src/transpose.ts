/** Two 32×32 blocks of float64 numbers, 16 kB, fit every first-level cache. */
const BLOCK = 32;

/** The transpose of an [rows, columns] row-major matrix, written into `target` ([columns, rows]). */
export function transposeInto(target: Float64Array, matrix: Float64Array, rows: number, columns: number): Float64Array {
  for (let i0 = 0; i0 < rows; i0 += BLOCK) {
    const i1 = Math.min(rows, i0 + BLOCK);
    for (let j0 = 0; j0 < columns; j0 += BLOCK) {
      const j1 = Math.min(columns, j0 + BLOCK);
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) target[j * rows + i] = matrix[i * columns + j]!;
    }
  }
  return target;
}

/** Copies the upper triangle of a [size, size] matrix onto its lower. */
export function mirrorUpper(matrix: Float64Array, size: number): void {
  for (let i0 = 0; i0 < size; i0 += BLOCK) {
    for (let j0 = i0; j0 < size; j0 += BLOCK) {
      const j1 = Math.min(size, j0 + BLOCK);
      for (let i = i0; i < Math.min(size, i0 + BLOCK); i++)
        for (let j = Math.max(j0, i + 1); j < j1; j++) matrix[j * size + i] = matrix[i * size + j]!;
    }
  }
}

/** Transposes a [size, size] matrix in place. */
export function transposeSquare(matrix: Float64Array, size: number): void {
  for (let i0 = 0; i0 < size; i0 += BLOCK) {
    const i1 = Math.min(size, i0 + BLOCK);
    for (let j0 = i0; j0 < size; j0 += BLOCK) {
      const j1 = Math.min(size, j0 + BLOCK);
      for (let i = i0; i < i1; i++) {
        for (let j = Math.max(j0, i + 1); j < j1; j++) {
          const swapped = matrix[i * size + j]!;
          matrix[i * size + j] = matrix[j * size + i]!;
          matrix[j * size + i] = swapped;
        }
      }
    }
  }
}
