import { multiplyInto, multiplySymmetricInto, multiplyTriangularInto } from "@sedge/linalg";
import type { LinearSystem } from "./linear-system.js";
import { scratch } from "./scratch.js";

/**
 * The two halves of every second-moment computation, between covariances that are block-diagonal over examples, W as [N, C, C],
 * and covariances of the modes, [rank, rank]. Each costs half a matrix product.
 */
export interface ModeBlocks {
  /** Vᵀ W V, its upper triangle and diagonal, into `inner`. W must be symmetric. */
  readonly toModes: (blocks: Float64Array, inner: Float64Array) => void;
  /** bd(V S Vᵀ) into `blocks`, S = U + Uᵀ from `half` = U: S above the diagonal, half of it on it. */
  readonly toBlocks: (half: Float64Array, blocks: Float64Array) => void;
}

/** For one system. */
export function modeBlocks({ examples, outputs, size, rank, modes }: LinearSystem): ModeBlocks {
  const product = scratch("modes", size * rank); // nothing stays in it from one call to the next
  const block = outputs * outputs;
  const band = outputs * rank;
  const forward = { rows: outputs, inner: outputs, columns: rank };
  const back = { rows: outputs, inner: rank, columns: outputs, transposeB: true };
  const bands = Array.from({ length: examples }, (_, i) => ({
    from: i * block,
    to: (i + 1) * block,
    modes: modes.subarray(i * band, (i + 1) * band),
    product: product.subarray(i * band, (i + 1) * band),
  }));
  return {
    toModes(blocks, inner) {
      if (outputs === 1) scaleRows(product, modes, blocks, rank);
      else for (const at of bands) multiplyInto(at.product, blocks.subarray(at.from, at.to), at.modes, forward);
      multiplySymmetricInto(inner, modes, product, { size: rank, inner: size, transposeA: true, mirror: false });
    },
    toBlocks(half, blocks) {
      multiplyTriangularInto(product, modes, half, { rows: size, size: rank });
      if (outputs === 1) {
        for (let i = 0; i < size; i++) blocks[i] = 2 * rowDot(product, modes, i, rank);
        return;
      }
      for (const at of bands) {
        const target = blocks.subarray(at.from, at.to);
        multiplyInto(target, at.product, at.modes, back);
        addTranspose(target, outputs);
      }
    },
  };
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
