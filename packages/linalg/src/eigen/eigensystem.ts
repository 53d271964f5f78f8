import type { Eigensystem } from "../eigh.js";
import { productScratch } from "../kernels/blocked-product.js";
import { slack } from "../kernels/kernels.js";
import { workspace } from "../kernels/workspace.js";
import { backTransform, type BackTransformPlace, BLOCK } from "./back-transform.js";
import { type ConquerPlace, divideAndConquer } from "./divide-and-conquer.js";
import { tridiagonalEigen } from "./implicit-ql.js";
import { smallEigensystem } from "./small.js";
import { PANEL, type ReductionPlace, tridiagonalise } from "./tridiagonalise.js";

/** Smaller problems are solved without blocking. */
const SMALL = 32;

/** Fills the target with all eigenpairs of the symmetric matrix whose upper triangle is given. */
export function eigensystem(target: Eigensystem, matrix: Float64Array, size: number): void {
  if (size <= SMALL) {
    const { down, up } = safeScale(matrix, size);
    smallEigensystem(target, up === 1 ? matrix : matrix.map((a) => a * down), size);
    for (let k = 0; k < size; k++) target.values[k]! *= up;
    return;
  }
  const place = layOut(size, true);
  const kernels = workspace(place.words);
  const { memory } = kernels;
  const scale = load(memory, place.rowLength, matrix, size);
  const { diagonal, offDiagonal, factors } = tridiagonalise(kernels, place, size);
  const order = divideAndConquer(kernels, place, diagonal, offDiagonal);
  backTransform(kernels, place, factors, size);

  const { values, vectors } = target;
  for (let k = 0; k < size; k++) values[k] = diagonal[order[k]!]! * scale;
  rowsToColumns(vectors, memory, place.vectors, place.rowLength, order);
}

/** Row order[k] of the memory becomes column k, a block at a time so that both sides stay in the cache. */
function rowsToColumns(
  columns: Float64Array,
  memory: Float64Array,
  rows: number,
  rowLength: number,
  order: Uint32Array,
): void {
  const size = order.length;
  for (let k0 = 0; k0 < size; k0 += 32) {
    const k1 = Math.min(size, k0 + 32);
    for (let i0 = 0; i0 < size; i0 += 32) {
      const i1 = Math.min(size, i0 + 32);
      for (let k = k0; k < k1; k++) {
        const row = rows + order[k]! * rowLength;
        for (let i = i0; i < i1; i++) columns[i * size + k] = memory[row + i]!;
      }
    }
  }
}

/** Fills `values` with the eigenvalues, ascending, of the symmetric matrix whose upper triangle is given. */
export function eigenvalues(values: Float64Array, matrix: Float64Array, size: number): void {
  const place = layOut(size, false);
  const kernels = workspace(place.words);
  const scale = load(kernels.memory, place.rowLength, matrix, size);
  const { diagonal, offDiagonal } = tridiagonalise(kernels, place, size);
  tridiagonalEigen(diagonal, offDiagonal, new Float64Array(0), 0);
  for (let k = 0; k < size; k++) values[k] = diagonal[k]! * scale;
}

interface Places extends ReductionPlace, ConquerPlace, BackTransformPlace {
  /** Size of the workspace. */
  readonly words: number;
}

/** Places in the workspace, one after the other. */
function layOut(size: number, withVectors: boolean): Places {
  const rowLength = (size + 2) & ~1;
  let words = 0;
  const reserve = (rows: number): number => {
    const at = words;
    words += rows * rowLength + slack(rowLength);
    return at;
  };
  const square = withVectors ? size : 0;
  const matrix = reserve(size);
  const vectors = reserve(square);
  const gathered = reserve(square);
  const rotation = reserve(square);
  const panel = reserve(Math.max(3 * PANEL, BLOCK));
  const factors = reserve(Math.ceil((2 * PANEL) / rowLength));
  // The work space of divide and conquer is free again when its result is transformed back, and mostly large enough.
  const productRows = withVectors ? Math.ceil((2 * (size + 4) * BLOCK) / rowLength) : 0;
  const products = productRows <= 2 * square ? gathered : reserve(productRows);
  const scratch = words;
  words += productScratch(size, Math.max(size, 2 * PANEL));
  return { rowLength, matrix, vectors, gathered, rotation, panel, factors, products, scratch, words };
}

/**
 * Copies the upper triangle to the start of the memory, scaled by a power of two, and so exactly, where squares of its
 * entries could over- or underflow. Returns what undoes that.
 */
function load(memory: Float64Array, rowLength: number, matrix: Float64Array, size: number): number {
  const { down, up } = safeScale(matrix, size);
  for (let i = 0; i < size; i++) {
    const row = i * rowLength;
    memory.fill(0, row + size, row + rowLength);
    memory.set(matrix.subarray(i * size + i, (i + 1) * size), row + i);
    if (up !== 1) for (let j = i; j < size; j++) memory[row + j]! *= down;
  }
  return up;
}

/** Powers of two, up · down = 1, to bring the largest entry near 1 where it is far from it; else 1. */
function safeScale(matrix: Float64Array, size: number): { down: number; up: number } {
  let largest = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) largest = Math.max(largest, Math.abs(matrix[i * size + j]!));
  }
  if (largest === 0 || (largest > 2 ** -300 && largest < 2 ** 300)) return { down: 1, up: 1 };
  // No further than both powers are normal numbers: the remaining few binary orders do no harm.
  const exponent = Math.min(1000, Math.max(-1000, Math.floor(Math.log2(largest))));
  return { down: 2 ** -exponent, up: 2 ** exponent };
}
