/** Small dense linear algebra for tests. */
import { testRandom } from "./random.js";

/** Eigenvalues of a symmetric matrix, descending: cyclic Jacobi, to full accuracy. For a few hundred rows. */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  const a = Float64Array.from(matrix);
  const norm = a.reduce((sum, x) => sum + x * x, 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) for (let q = 0; q < p; q++) off += a[p * size + q]! ** 2;
    if (off <= 1e-28 * norm) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, size, p, q);
  }
  return Float64Array.from({ length: size }, (_, i) => a[i * (size + 1)]!)
    .sort()
    .reverse();
}

/** Makes entry (p, q) zero by a plane rotation from both sides. */
function rotate(a: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) {
    const kp = a[k * size + p]!;
    const kq = a[k * size + q]!;
    a[k * size + p] = c * kp - s * kq;
    a[k * size + q] = s * kp + c * kq;
  }
  for (let k = 0; k < size; k++) {
    const pk = a[p * size + k]!;
    const qk = a[q * size + k]!;
    a[p * size + k] = c * pk - s * qk;
    a[q * size + k] = s * pk + c * qk;
  }
}

/**
 * The largest eigenvalues of a symmetric matrix, descending: Lanczos with full reorthogonalisation for 140 steps, where
 * the ends of such a spectrum have long converged to rounding. Ten times faster than all of them.
 */
export function topEigenvalues(matrix: Float64Array, size: number, count: number): Float64Array {
  const steps = 140;
  if (size <= steps) return symmetricEigenvalues(matrix, size).slice(0, count);
  const basis: Float64Array[] = [];
  const tridiagonal = new Float64Array(steps * steps);
  let next = normalized(testRandom(1).array(size));
  for (let k = 0; k < steps; k++) {
    basis.push(next);
    const image = Float64Array.from(next, (_, i) => dotProduct(matrix.subarray(i * size, (i + 1) * size), basis[k]!));
    tridiagonal[k * (steps + 1)] = dotProduct(image, next);
    // Twice is enough for orthogonality to rounding.
    for (let pass = 0; pass < 2; pass++) {
      for (const vector of basis) {
        const along = dotProduct(image, vector);
        for (let i = 0; i < size; i++) image[i]! -= along * vector[i]!;
      }
    }
    if (k + 1 < steps)
      tridiagonal[k * steps + k + 1] = tridiagonal[(k + 1) * steps + k] = Math.sqrt(dotProduct(image, image));
    next = normalized(image);
  }
  return symmetricEigenvalues(tridiagonal, steps).slice(0, count);
}

function dotProduct(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function normalized(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dotProduct(vector, vector));
  return vector.map((x) => x / norm);
}

export const traceOf = (matrix: Float64Array, size: number): number =>
  Array.from({ length: size }, (_, i) => matrix[i * (size + 1)]!).reduce((sum, x) => sum + x, 0);

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  if (a.length !== b.length) return Infinity;
  let error = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    error += (Number(a[i]) - Number(b[i])) ** 2;
    size += Number(b[i]) ** 2;
  }
  return Math.sqrt(error / size);
}
