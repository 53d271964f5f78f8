import { addProduct } from "../kernels/blocked-product.js";
import type { Kernels } from "../kernels/kernels.js";

/** Rows reduced between two updates of the rest of the matrix: a multiple of 4. */
export const PANEL = 32;

/** Where things are in the kernels' memory. */
export interface ReductionPlace {
  /** [size, size], rows `rowLength` apart; on return row k holds the reflector vₖ from its column k + 1 on. */
  readonly matrix: number;
  /** More than `size`, and even. */
  readonly rowLength: number;
  /** 3 · PANEL rows. */
  readonly panel: number;
  /** 2 · PANEL numbers. */
  readonly factors: number;
  /** For `addProduct` with `size` columns, and 2 · PANEL deep. */
  readonly scratch: number;
}

export interface Reduction {
  /** [size] and [size − 1]: the tridiagonal matrix. */
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  /** τₖ of the reflectors Hₖ = 1 − τₖ vₖ vₖᵀ, [size − 1]; A = Q T Qᵀ with Q = H₀ H₁ …. */
  readonly factors: Float64Array;
}

/**
 * Reduces a symmetric matrix, of which only the upper triangle is read, to tridiagonal form.
 *
 * Householder's method a panel of rows at a time, as LAPACK's dlatrd and dsytrd: within a panel the update
 * A ← A − V Wᵀ − W Vᵀ is only applied to the row in hand and to products with A, and afterwards to the rest at once, as a
 * matrix product. Half the work remains matrix times vector, at the speed of memory.
 */
export function tridiagonalise(kernels: Kernels, place: ReductionPlace, size: number): Reduction {
  const { memory } = kernels;
  const { matrix, rowLength, panel, factors } = place;
  const diagonal = new Float64Array(size);
  const offDiagonal = new Float64Array(Math.max(0, size - 1));
  const taus = new Float64Array(Math.max(0, size - 1));
  const row = (index: number): number => panel + index * rowLength; // V₀ …, W₀ …, and V₀ … again

  for (let start = 0; start < size; start += PANEL) {
    const end = Math.min(size, start + PANEL);
    memory.fill(0, panel, row(3 * PANEL));
    for (let r = start; r < end; r++) {
      const i = r - start;
      const a = matrix + r * rowLength;
      const groups = (i + 3) >> 2;
      // This row of A − V Wᵀ − W Vᵀ.
      for (let k = 0; k < 4 * groups; k++) {
        memory[factors + k] = -memory[row(PANEL + k) + r]!;
        memory[factors + PANEL + k] = -memory[row(k) + r]!;
      }
      for (let g = 0; g < groups; g++) {
        kernels.combine(a + r, row(4 * g) + r, rowLength, factors + 4 * g, size - r);
        kernels.combine(a + r, row(PANEL + 4 * g) + r, rowLength, factors + PANEL + 4 * g, size - r);
      }
      diagonal[r] = memory[a + r]!;
      if (r === size - 1) break;

      const next = r + 1;
      const { beta, tau } = reflector(memory, a + next, size - next);
      offDiagonal[r] = beta;
      taus[r] = tau;
      const v = row(i);
      const w = row(PANEL + i);
      memory.copyWithin(v + next, a + next, a + size);
      if (tau === 0) continue;

      // w = τ (A − V Wᵀ − W Vᵀ) v, less ½ τ (w·v) v.
      timesTrailing(kernels, matrix, rowLength, v, w, next, size);
      for (let g = 0; g < groups; g++) {
        kernels.dots(factors + 4 * g, row(PANEL + 4 * g) + next, rowLength, v + next, size - next);
        kernels.dots(factors + PANEL + 4 * g, row(4 * g) + next, rowLength, v + next, size - next);
      }
      for (let k = 0; k < 4 * groups; k++) {
        memory[factors + k] = k < i ? -memory[factors + k]! : 0;
        memory[factors + PANEL + k] = k < i ? -memory[factors + PANEL + k]! : 0;
      }
      for (let g = 0; g < groups; g++) {
        kernels.combine(w + next, row(4 * g) + next, rowLength, factors + 4 * g, size - next);
        kernels.combine(w + next, row(PANEL + 4 * g) + next, rowLength, factors + PANEL + 4 * g, size - next);
      }
      let product = 0;
      for (let j = next; j < size; j++) product += memory[w + j]! * memory[v + j]!;
      const share = -0.5 * tau * tau * product;
      for (let j = next; j < size; j++) memory[w + j] = tau * memory[w + j]! + share * memory[v + j]!;
    }
    if (end < size) {
      memory.copyWithin(row(2 * PANEL), row(0), row(PANEL));
      const rest = { source: memory, rowStep: rowLength, columnStep: 1 };
      addProduct(kernels, place.scratch, {
        target: matrix + end * rowLength + end,
        rowLength,
        scale: -1,
        upperOnly: true,
        rows: size - end,
        columns: size - end,
        inner: 2 * PANEL,
        left: { source: memory, offset: row(0) + end, rowStep: 1, columnStep: rowLength },
        right: { ...rest, offset: row(PANEL) + end },
      });
    }
  }
  return { diagonal, offDiagonal, factors: taus };
}

/**
 * The reflector that maps x to (β, 0, …, 0): replaces x by v, scaled to v₀ = 1. τ = 0, the identity, if x is so already.
 */
function reflector(memory: Float64Array, at: number, length: number): { beta: number; tau: number } {
  const alpha = memory[at]!;
  let largest = 0;
  for (let j = at + 1; j < at + length; j++) largest = Math.max(largest, Math.abs(memory[j]!));
  memory[at] = 1;
  if (largest === 0) return { beta: alpha, tau: 0 };
  // Relative to the largest, so that no square over- or underflows.
  const scale = Math.max(largest, Math.abs(alpha));
  let squares = 0;
  for (let j = at + 1; j < at + length; j++) squares += (memory[j]! / scale) ** 2;
  const norm = scale * Math.sqrt((alpha / scale) ** 2 + squares);
  const beta = alpha > 0 ? -norm : norm;
  const divisor = alpha - beta;
  for (let j = at + 1; j < at + length; j++) memory[j]! /= divisor;
  return { beta, tau: -divisor / beta };
}

/** w = A v over the rows and columns from `from` on, A symmetric with its upper triangle given; w is zero before. */
function timesTrailing(
  kernels: Kernels,
  matrix: number,
  rowLength: number,
  v: number,
  w: number,
  from: number,
  size: number,
): void {
  const m = kernels.memory;
  let s = from;
  for (; s + 4 <= size; s += 4) {
    const a = matrix + s * (rowLength + 1);
    const [b, c, d] = [a + rowLength, a + 2 * rowLength, a + 3 * rowLength];
    const [x0, x1, x2, x3] = [m[v + s]!, m[v + s + 1]!, m[v + s + 2]!, m[v + s + 3]!];
    m[w + s]! += m[a]! * x0 + m[a + 1]! * x1 + (m[a + 2]! * x2 + m[a + 3]! * x3);
    m[w + s + 1]! += m[a + 1]! * x0 + m[b + 1]! * x1 + (m[b + 2]! * x2 + m[b + 3]! * x3);
    m[w + s + 2]! += m[a + 2]! * x0 + m[b + 2]! * x1 + (m[c + 2]! * x2 + m[c + 3]! * x3);
    m[w + s + 3]! += m[a + 3]! * x0 + m[b + 3]! * x1 + (m[c + 3]! * x2 + m[d + 3]! * x3);
    kernels.symmetricRows(a + 4, rowLength, v + s, w + s, size - s - 4);
  }
  for (let i = s; i < size; i++) {
    const a = matrix + i * rowLength;
    m[w + i]! += m[a + i]! * m[v + i]!;
    for (let j = i + 1; j < size; j++) {
      m[w + i]! += m[a + j]! * m[v + j]!;
      m[w + j]! += m[a + j]! * m[v + i]!;
    }
  }
}
