import { addProduct } from "../kernels/blocked-product.js";
import type { Kernels } from "../kernels/kernels.js";
import { tridiagonalEigen } from "./implicit-ql.js";
import { secularRoot } from "./secular.js";

/** Where things are in the kernels' memory. Each matrix is [size, size], rows `rowLength` apart. */
export interface ConquerPlace {
  /** On return the eigenvectors, one a row. */
  readonly vectors: number;
  readonly rowLength: number;
  /** Two more such matrices, as work space. */
  readonly gathered: number;
  readonly rotation: number;
  /** For `addProduct` with `size` columns, and `size` deep. */
  readonly scratch: number;
}

/** Parts no larger are solved by implicit QL. */
const LEAF = 32;

/**
 * Eigenpairs of a symmetric tridiagonal matrix by Cuppen's divide and conquer, with the deflation of LAPACK's dlaed2 and the
 * orthogonal eigenvectors of Gu and Eisenstat (1995): nearly all work is matrix products.
 *
 * @param diagonal [size]; on return the eigenvalues, in the order of the rows of the eigenvectors
 * @param offDiagonal [size − 1]
 * @returns the rows in ascending order of their eigenvalues
 */
export function divideAndConquer(
  kernels: Kernels,
  place: ConquerPlace,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Uint32Array {
  const size = diagonal.length;
  let largest = 0;
  for (const part of [diagonal, offDiagonal]) for (const x of part) largest = Math.max(largest, Math.abs(x));
  // Deflation compares with numbers of order 1. A power of two, so that scaling is exact.
  const scale = largest === 0 ? 1 : 2 ** Math.round(Math.log2(largest));
  for (let i = 0; i < size; i++) diagonal[i]! /= scale;
  const couplings = Float64Array.from(offDiagonal, (e) => e / scale);
  for (let i = 0; i < size; i++) {
    const row = place.vectors + i * place.rowLength;
    kernels.memory.fill(0, row, row + place.rowLength);
  }
  const order = solve({ kernels, place, values: diagonal, couplings }, 0, size);
  for (let i = 0; i < size; i++) diagonal[i]! *= scale;
  return order;
}

interface Problem {
  readonly kernels: Kernels;
  readonly place: ConquerPlace;
  /** The diagonal; of a part that is solved, its eigenvalues. */
  readonly values: Float64Array;
  readonly couplings: Float64Array;
}

/** Solves the part [from, to). Returns its rows in ascending order. */
function solve(problem: Problem, from: number, to: number): Uint32Array {
  if (to - from <= LEAF) return solveLeaf(problem, from, to);
  const { values, couplings } = problem;
  // T = [T₁ 0; 0 T₂] + |e| u uᵀ with u = (0 … 0, 1, ±1, 0 … 0).
  const middle = (from + to) >> 1;
  const coupling = couplings[middle - 1]!;
  values[middle - 1]! -= Math.abs(coupling);
  values[middle]! -= Math.abs(coupling);
  const left = solve(problem, from, middle);
  const right = solve(problem, middle, to);
  return merge(problem, { from, middle, to, coupling, left, right });
}

function solveLeaf({ kernels, place, values, couplings }: Problem, from: number, to: number): Uint32Array {
  const count = to - from;
  const rotation = new Float64Array(count * count);
  for (let i = 0; i < count; i++) rotation[i * count + i] = 1;
  tridiagonalEigen(values.subarray(from, to), couplings.slice(from, to), rotation, count);
  for (let k = 0; k < count; k++) {
    const row = place.vectors + (from + k) * place.rowLength + from;
    for (let i = 0; i < count; i++) kernels.memory[row + i] = rotation[i * count + k]!;
  }
  return Uint32Array.from({ length: count }, (_, k) => from + k);
}

interface Halves {
  readonly from: number;
  readonly middle: number;
  readonly to: number;
  readonly coupling: number;
  /** The rows of each half in ascending order. */
  readonly left: Uint32Array;
  readonly right: Uint32Array;
}

/** Which columns of a row are not zero. */
const Support = { Left: 0, Both: 1, Right: 2 } as const;

/** The eigensystem of D + ρ z zᵀ from those of its halves. */
function merge(problem: Problem, halves: Halves): Uint32Array {
  const { kernels, place, values } = problem;
  const { memory } = kernels;
  const { vectors, rowLength, gathered } = place;
  const { from, middle, to } = halves;
  const { rho, z, kept, dropped, support } = deflate(problem, halves);
  const count = kept.length;

  if (count > 0) {
    const poles = Float64Array.from(kept, (row) => values[row]!);
    const weights = Float64Array.from(kept, (row) => z[row - from]!);
    // Rows with the same support next to each other, so that each half is multiplied by the rows that reach into it.
    const bySupport = [Support.Left, Support.Both, Support.Right].map((kind) =>
      kept.flatMap((row, i) => (support[row - from] === kind ? [i] : [])),
    );
    const sorted = bySupport.flat();
    const position = new Uint32Array(count);
    sorted.forEach((i, column) => (position[i] = column));
    const lefts = bySupport[0]!.length;
    const both = bySupport[1]!.length;
    const roots = rotationRows(memory, place.rotation, poles, weights, rho, position);

    const copyRow = (target: number, source: number): void =>
      void memory.copyWithin(target + from, source + from, source + to);
    sorted.forEach((i, row) => copyRow(gathered + row * rowLength, vectors + kept[i]! * rowLength));
    dropped.forEach((row, i) => copyRow(gathered + (count + i) * rowLength, vectors + row * rowLength));
    const droppedValues = dropped.map((row) => values[row]!);
    for (let j = 0; j < count; j++) {
      const row = vectors + (from + j) * rowLength;
      memory.fill(0, row + from, row + to);
      values[from + j] = roots[j]!;
    }
    droppedValues.forEach((value, i) => {
      copyRow(vectors + (from + count + i) * rowLength, gathered + (count + i) * rowLength);
      values[from + count + i] = value;
    });

    const half = (first: number, inner: number, start: number, end: number): void =>
      addProduct(kernels, place.scratch, {
        target: vectors + from * rowLength + start,
        rowLength,
        rows: count,
        inner,
        columns: end - start,
        left: { source: memory, offset: place.rotation + first, rowStep: count, columnStep: 1 },
        right: { source: memory, offset: gathered + first * rowLength + start, rowStep: rowLength, columnStep: 1 },
      });
    half(0, lefts + both, from, middle);
    half(lefts, count - lefts, middle, to);
  }
  return Uint32Array.from({ length: to - from }, (_, k) => from + k).sort((a, b) => values[a]! - values[b]!);
}

interface Deflated {
  readonly rho: number;
  /** The coupling vector, by row, [to − from]. */
  readonly z: Float64Array;
  /** Rows that take part in the secular equation, in ascending order of their eigenvalues. */
  readonly kept: number[];
  /** Rows that are eigenvectors already. */
  readonly dropped: number[];
  readonly support: Uint8Array;
}

/** Sets aside eigenpairs that the coupling does not move, having turned nearly equal ones until it does not. */
function deflate({ kernels, place, values }: Problem, halves: Halves): Deflated {
  const { memory } = kernels;
  const { vectors, rowLength } = place;
  const { from, middle, to, coupling, left, right } = halves;
  const rho = 2 * Math.abs(coupling);
  const z = new Float64Array(to - from);
  const support = new Uint8Array(to - from);
  let largest = 0;
  for (let row = from; row < to; row++) {
    const inLeft = row < middle;
    const end = memory[vectors + row * rowLength + (inLeft ? middle - 1 : middle)]!;
    z[row - from] = (inLeft || coupling >= 0 ? end : -end) * Math.SQRT1_2;
    support[row - from] = inLeft ? Support.Left : Support.Right;
    largest = Math.max(largest, Math.abs(z[row - from]!), Math.abs(values[row]!));
  }
  const tolerance = 4 * Number.EPSILON * largest;

  const kept: number[] = [];
  const dropped: number[] = [];
  let candidate = -1;
  for (const row of ascending(values, left, right)) {
    if (rho * Math.abs(z[row - from]!) <= tolerance) {
      dropped.push(row);
      continue;
    }
    if (candidate >= 0) {
      const length = Math.hypot(z[row - from]!, z[candidate - from]!);
      const c = z[row - from]! / length;
      const s = -z[candidate - from]! / length;
      const [low, high] = [values[candidate]!, values[row]!];
      if (Math.abs((high - low) * c * s) <= tolerance) {
        z[row - from] = length;
        if (support[row - from] !== support[candidate - from]) support[row - from] = Support.Both;
        rotate(memory, vectors + candidate * rowLength, vectors + row * rowLength, from, to, c, s);
        values[candidate] = low * c * c + high * s * s;
        values[row] = low * s * s + high * c * c;
        dropped.push(candidate);
      } else {
        kept.push(candidate);
      }
    }
    candidate = row;
  }
  if (candidate >= 0) kept.push(candidate);
  return { rho, z, kept, dropped, support };
}

/** The two sorted lists as one. */
function ascending(values: Float64Array, left: Uint32Array, right: Uint32Array): Uint32Array {
  const merged = new Uint32Array(left.length + right.length);
  for (let i = 0, j = 0, k = 0; k < merged.length; k++) {
    const fromLeft = j === right.length || (i < left.length && values[left[i]!]! <= values[right[j]!]!);
    merged[k] = fromLeft ? left[i++]! : right[j++]!;
  }
  return merged;
}

/** (p, q) ← (c p + s q, c q − s p) on the columns from … to of two rows. */
function rotate(m: Float64Array, p: number, q: number, from: number, to: number, c: number, s: number): void {
  for (let i = from; i < to; i++) {
    const [x, y] = [m[p + i]!, m[q + i]!];
    m[p + i] = c * x + s * y;
    m[q + i] = c * y - s * x;
  }
}

/**
 * Eigenvalues of diag(poles) + ρ w wᵀ, and its unit eigenvectors as the rows of a matrix, component i in column
 * position[i].
 *
 * The vectors are those of a nearby matrix with exactly these eigenvalues, whose w follows from Löwner's formula: computed
 * that way they are orthogonal to working precision, however close the eigenvalues.
 */
function rotationRows(
  memory: Float64Array,
  at: number,
  poles: Float64Array,
  weights: Float64Array,
  rho: number,
  position: Uint32Array,
): Float64Array {
  const count = poles.length;
  const squares = weights.map((w) => w * w);
  const roots = new Float64Array(count);
  const products = new Float64Array(count).fill(1);
  for (let j = 0; j < count; j++) {
    const { origin, distance } = secularRoot(poles, squares, count, rho, j);
    const base = poles[origin]!;
    const pole = poles[j]!;
    const row = at + j * count;
    roots[j] = base + distance;
    for (let i = 0; i < count; i++) {
      const difference = poles[i]! - base - distance;
      memory[row + i] = difference;
      products[i]! *= i === j ? difference : difference / (poles[i]! - pole);
    }
  }
  const adjusted = products.map((product, i) => Math.sqrt(Math.abs(product)) * Math.sign(weights[i]!));
  const vector = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    const row = at + j * count;
    let norm = 0;
    for (let i = 0; i < count; i++) {
      const component = adjusted[i]! / memory[row + i]!;
      vector[i] = component;
      norm += component * component;
    }
    norm = Math.sqrt(norm);
    for (let i = 0; i < count; i++) memory[row + position[i]!] = vector[i]! / norm;
  }
  return roots;
}
