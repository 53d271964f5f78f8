/**
 * The inner loops of the dense algorithms, over one flat memory. Arguments are positions and distances in float64 numbers.
 *
 * Kernels work in fours or pairs and may touch what lies beyond an odd edge: they read it, multiply it by zeros of the
 * other operand and write back what was there. Matrices in the memory therefore have rows of at least one number more than
 * their columns, that are zero, and the memory ends with some slack.
 */
export interface Kernels {
  readonly name: "wasm" | "plain";
  readonly memory: Float64Array;

  /**
   * C += A B for a strip of C four columns wide: tiles × 4 rows at `c`, one row every `rowLength`. A is packed in panels of
   * four rows, B in one panel of four columns: for each of `inner` the four numbers next to each other. A's panels are
   * `panelLength` (default `inner`) such fours long.
   */
  strip(c: number, rowLength: number, a: number, b: number, tiles: number, inner: number, panelLength?: number): void;

  /**
   * The part of y = A x that four rows of a symmetric A make beyond their diagonal block, A = [… S; Sᵀ …] with S at `a`,
   * [4, count]: adds Sᵀ x[0…3] to y[4…], and S x[4…] to y[0…3].
   */
  symmetricRows(a: number, rowLength: number, x: number, y: number, count: number): void;

  /** t[r] = Vᵣ · x for four rows V of `count` numbers. */
  dots(t: number, v: number, rowLength: number, x: number, count: number): void;

  /** y += Σ t[r] Vᵣ over four rows V of `count` numbers. */
  combine(y: number, v: number, rowLength: number, t: number, count: number): void;
}

/** Numbers after the last matrix in a memory that kernels may touch: four rows of the longest, in words of the caller. */
export function slack(rowLength: number): number {
  return 4 * rowLength + 8;
}
