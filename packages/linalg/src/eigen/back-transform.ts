import { addProduct } from "../kernels/blocked-product.js";
import type { Kernels } from "../kernels/kernels.js";

/** Reflectors applied at once. */
export const BLOCK = 64;

/** Where things are in the kernels' memory. */
export interface BackTransformPlace {
  /** [size, size], rows `rowLength` apart: row k holds the reflector vₖ from its column k + 1 on. */
  readonly matrix: number;
  /** [size, size], rows `rowLength` apart: eigenvectors of the tridiagonal matrix, one a row; on return of the full one. */
  readonly vectors: number;
  readonly rowLength: number;
  /** BLOCK rows. */
  readonly panel: number;
  /** 2 · BLOCK · (size + BLOCK) numbers. */
  readonly products: number;
  /** For `addProduct` with `size` columns, and `size` deep. */
  readonly scratch: number;
}

/**
 * Multiplies each row y by Q = H₀ H₁ …, Hₖ = 1 − τₖ vₖ vₖᵀ.
 *
 * A block of reflectors is 1 − Vᵀ S V with an upper triangular S (Schreiber and Van Loan 1989, LAPACK's dlarft), and all rows
 * Y ← Y − (Y Vᵀ) Sᵀ V, three matrix products.
 */
export function backTransform(kernels: Kernels, place: BackTransformPlace, taus: Float64Array, size: number): void {
  const { memory } = kernels;
  const { matrix, vectors, rowLength, panel, products, scratch } = place;
  for (let start = Math.floor(Math.max(0, taus.length - 1) / BLOCK) * BLOCK; start >= 0; start -= BLOCK) {
    const count = Math.min(BLOCK, taus.length - start);
    if (count <= 0) continue;
    // Nothing but zeros left of column start + 1.
    const first = start + 1;
    const width = size - first;
    for (let k = 0; k < count; k++) {
      const row = panel + k * rowLength;
      memory.fill(0, row, row + rowLength);
      const source = matrix + (start + k) * rowLength;
      memory.copyWithin(row + first + k, source + first + k, source + size);
    }
    const v = { source: memory, offset: panel + first, rowStep: rowLength, columnStep: 1 };
    const transposed = { ...v, rowStep: 1, columnStep: rowLength };
    const triangle = blockTriangle(kernels, products, scratch, { v, transposed, count, width }, taus.subarray(start));

    const along = products;
    const turned = products + size * BLOCK + 4 * BLOCK;
    memory.fill(0, along, turned + size * BLOCK + 4 * BLOCK);
    addProduct(kernels, scratch, {
      target: along,
      rowLength: BLOCK,
      rows: size,
      inner: width,
      columns: count,
      left: { source: memory, offset: vectors + first, rowStep: rowLength, columnStep: 1 },
      right: transposed,
    });
    addProduct(kernels, scratch, {
      target: turned,
      rowLength: BLOCK,
      rows: size,
      inner: count,
      columns: count,
      left: { source: memory, offset: along, rowStep: BLOCK, columnStep: 1 },
      right: { source: triangle, offset: 0, rowStep: 1, columnStep: count },
    });
    addProduct(kernels, scratch, {
      target: vectors + first,
      rowLength,
      rows: size,
      inner: count,
      columns: width,
      scale: -1,
      left: { source: memory, offset: turned, rowStep: BLOCK, columnStep: 1 },
      right: v,
    });
  }
}

interface Block {
  readonly v: { source: Float64Array; offset: number; rowStep: number; columnStep: number };
  readonly transposed: Block["v"];
  readonly count: number;
  readonly width: number;
}

/** S of H₀ H₁ … = 1 − Vᵀ S V, [count, count]: S[k, k] = τₖ, and above it column k is −τₖ S V vₖ. */
function blockTriangle(
  kernels: Kernels,
  gram: number,
  scratch: number,
  { v, transposed, count, width }: Block,
  taus: Float64Array,
): Float64Array {
  const { memory } = kernels;
  memory.fill(0, gram, gram + (BLOCK + 4) * BLOCK);
  addProduct(kernels, scratch, {
    target: gram,
    rowLength: BLOCK,
    rows: count,
    inner: width,
    columns: count,
    upperOnly: true,
    left: v,
    right: transposed,
  });
  const triangle = new Float64Array(count * count);
  for (let k = 0; k < count; k++) {
    triangle[k * count + k] = taus[k]!;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = i; j < k; j++) sum += triangle[i * count + j]! * memory[gram + j * BLOCK + k]!;
      triangle[i * count + k] = -taus[k]! * sum;
    }
  }
  return triangle;
}
