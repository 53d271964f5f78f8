import { eigensystem, eigenvalues } from "../eigen/eigensystem.js";
import { addProduct, type BlockedProduct, type Operand, productScratch } from "../kernels/blocked-product.js";
import { slack } from "../kernels/kernels.js";
import { workspace } from "../kernels/workspace.js";
import type { ProductShape } from "../products.js";

import type { Engine } from "./engine.js";
import { timesVector } from "./vector-product.js";

/** The portable implementation: blocked algorithms over WebAssembly SIMD or plain kernels. */
export const typescriptEngine: Engine = {
  get description() {
    return { name: "typescript", kernels: workspace(0).name } as const;
  },

  multiply(target, a, b, shape) {
    const { rows, inner, columns } = shape;
    const { left, right } = operands(a, b, shape);
    if (columns === 1) timesVector(target, left, b, rows, inner);
    else if (rows === 1) timesVector(target, turned(right), a, columns, inner);
    else if (rows * columns * inner <= SMALL) smallProduct(target, left, right, rows, inner, columns);
    else productInChunks(target, { left, right, rows, inner, columns });
  },

  multiplySymmetric(target, a, b, shape) {
    const { rows, inner, columns } = shape;
    productInChunks(target, { ...operands(a, b, shape), rows, inner, columns, upperOnly: true });
  },

  multiplySymmetricSingle(target, a, b, shape) {
    const { rows, inner, columns } = shape;
    productInChunks(target, { ...operands(a, b, shape), rows, inner, columns, upperOnly: true });
  },

  multiplyTriangular(target, a, upper, rows, size) {
    const { left, right } = operands(a, upper, { rows, inner: size, columns: size });
    productInChunks(target, { left, right, rows, inner: size, columns: size, rightIsUpper: true });
  },

  eigh: eigensystem,
  eigvalsh: eigenvalues,
};

const turned = (matrix: Operand): Operand => ({
  ...matrix,
  rowStep: matrix.columnStep,
  columnStep: matrix.rowStep,
});

/** Below this many multiplications, packing costs more than it saves. */
const SMALL = 4096;
/** Most numbers of the product kept in the workspace at a time. 32 MB. */
const CHUNK = 2 ** 22;

function operands(a: Operand["source"], b: Operand["source"], shape: ProductShape): { left: Operand; right: Operand } {
  const { rows, inner, columns, transposeA = false, transposeB = false } = shape;
  return {
    left: { source: a, offset: 0, rowStep: transposeA ? 1 : inner, columnStep: transposeA ? rows : 1 },
    right: { source: b, offset: 0, rowStep: transposeB ? 1 : columns, columnStep: transposeB ? inner : 1 },
  };
}

function smallProduct(
  target: Float64Array,
  left: Operand,
  right: Operand,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let p = left.offset + i * left.rowStep;
      let q = right.offset + j * right.columnStep;
      let sum = 0;
      for (let k = 0; k < inner; k++, p += left.columnStep, q += right.rowStep)
        sum += left.source[p]! * right.source[q]!;
      target[i * columns + j] = sum;
    }
  }
}

/** The product, computed in the workspace a band of rows and a band of columns at a time and copied out. */
function productInChunks(target: Operand["source"], product: Omit<BlockedProduct, "target" | "rowLength">): void {
  const { left, right, rows, inner, columns, upperOnly = false, rightIsUpper = false } = product;
  const whole = upperOnly || rightIsUpper;
  const width = whole ? columns : Math.min(columns, 4096);
  const height = Math.min(rows, Math.max(4, Math.floor(CHUNK / Math.max(1, width))));
  for (let j = 0; j < columns; j += width) {
    for (let i = 0; i < rows; i += height) {
      // A band of the upper triangle begins at its diagonal.
      const from = upperOnly ? i : j;
      const part = {
        rows: Math.min(height, rows - i),
        columns: Math.min(columns, upperOnly ? columns : j + width) - from,
      };
      const scratch = part.rows * part.columns + slack(part.columns);
      const kernels = workspace(scratch + productScratch(part.columns, inner));
      const { memory } = kernels;
      memory.fill(0, 0, scratch);
      addProduct(kernels, scratch, {
        target: 0,
        rowLength: part.columns,
        inner,
        ...part,
        upperOnly,
        rightIsUpper,
        left: { ...left, offset: left.offset + i * left.rowStep },
        right: { ...right, offset: right.offset + from * right.columnStep },
      });
      if (part.columns === columns) {
        target.set(memory.subarray(0, part.rows * columns), i * columns);
      } else {
        for (let r = 0; r < part.rows; r++)
          target.set(memory.subarray(r * part.columns, (r + 1) * part.columns), (i + r) * columns + from);
      }
    }
  }
}
