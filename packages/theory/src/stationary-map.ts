import { multiplyInto, multiplySymmetricInto, multiplyTriangularInto } from "@sedge/linalg";
import type { LinearSystem } from "./linear-system.js";
import { pairResponse } from "./response.js";
import type { Dynamics } from "./settings.js";

/** A symmetric operator on [N, C, C] blocks, flattened: writes its product with `blocks` into `result`. */
export type BlockMap = (blocks: Float64Array, result: Float64Array) => void;

/**
 * The positive map whose Perron eigenvalue is the exact noise kernel norm (docs/theory/noise-kernel.md): a batch-noise
 * covariance W, block-diagonal over examples, to that of the residuals it sustains,
 *
 *     W ↦ bd( V [ (Vᵀ W V) ∘ G ] Vᵀ ).
 *
 * Self-adjoint for the Frobenius inner product. A product costs two half matrix products of size N·C × N·C × rank: Vᵀ(WV)
 * is symmetric, and with S = U + Uᵀ the diagonal blocks of V S Vᵀ are those of (VU)Vᵀ plus their transposes.
 *
 * `blocks` must be symmetric. Inside the deterministic edge only.
 */
export function stationaryMap(system: LinearSystem, dynamics: Dynamics): BlockMap {
  const { examples, outputs, size, rank, modes } = system;
  const halfResponse = halfResponseMatrix(system, dynamics);
  const product = new Float64Array(size * rank);
  const inner = new Float64Array(rank * rank);
  const block = outputs * outputs;
  const band = outputs * rank;
  const forward = { rows: outputs, inner: outputs, columns: rank };
  const back = { rows: outputs, inner: rank, columns: outputs, transposeB: true };
  const rows = Array.from({ length: examples }, (_, i) => ({
    block: [i * block, (i + 1) * block] as const,
    modes: modes.subarray(i * band, (i + 1) * band),
    product: product.subarray(i * band, (i + 1) * band),
  }));
  return (blocks, result) => {
    if (outputs === 1) scaleRows(product, modes, blocks, rank);
    else for (const row of rows) multiplyInto(row.product, blocks.subarray(...row.block), row.modes, forward);
    multiplySymmetricInto(inner, modes, product, { size: rank, inner: size, transposeA: true, mirror: false });
    for (let mu = 0; mu < rank; mu++) {
      for (let at = mu * rank + mu; at < (mu + 1) * rank; at++) inner[at]! *= halfResponse[at]!;
    }
    multiplyTriangularInto(product, modes, inner, { rows: size, size: rank });
    if (outputs === 1) {
      for (let i = 0; i < size; i++) result[i] = 2 * rowDot(product, modes, i, rank);
      return;
    }
    for (const row of rows) {
      const target = result.subarray(...row.block);
      multiplyInto(target, row.product, row.modes, back);
      addTranspose(target, outputs);
    }
  };
}

/** G above the diagonal and half of it on the diagonal, [rank, rank]; what lies below is not used and left 0. */
function halfResponseMatrix({ rank, eigenvalues }: LinearSystem, dynamics: Dynamics): Float64Array {
  const half = new Float64Array(rank * rank);
  for (let mu = 0; mu < rank; mu++) {
    for (let nu = mu; nu < rank; nu++)
      half[mu * rank + nu] = pairResponse(eigenvalues[mu]!, eigenvalues[nu]!, dynamics);
    half[mu * rank + mu]! *= 0.5;
  }
  return half;
}

function scaleRows(target: Float64Array, matrix: Float64Array, scales: Float64Array, columns: number): void {
  for (let i = 0; i < scales.length; i++) {
    const scale = scales[i]!;
    for (let at = i * columns; at < (i + 1) * columns; at++) target[at] = scale * matrix[at]!;
  }
}

function rowDot(a: Float64Array, b: Float64Array, row: number, columns: number): number {
  let sum = 0;
  for (let at = row * columns; at < (row + 1) * columns; at++) sum += a[at]! * b[at]!;
  return sum;
}

/** A + Aᵀ in place, [size, size]. */
function addTranspose(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = matrix[i * size + j]! + matrix[j * size + i]!;
      matrix[i * size + j] = matrix[j * size + i] = sum;
    }
  }
}
