/** Small dense linear algebra for tests. */

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
