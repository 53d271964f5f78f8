import type { Operand } from "../kernels/blocked-product.js";

/**
 * target = A x, A [rows, inner] with consecutive rows or consecutive columns; reads A once, in the order it is stored.
 */
export function timesVector(target: Float64Array, a: Operand, x: Float64Array, rows: number, inner: number): void {
  if (a.columnStep === 1) rowByRow(target, a, x, rows, inner);
  else columnByColumn(target, a, x, rows, inner);
}

function rowByRow(target: Float64Array, a: Operand, x: Float64Array, rows: number, inner: number): void {
  const m = a.source;
  let i = 0;
  // Four rows at a time, in sums that do not wait for each other.
  for (; i + 4 <= rows; i += 4) {
    const r0 = a.offset + i * a.rowStep;
    const [r1, r2, r3] = [r0 + a.rowStep, r0 + 2 * a.rowStep, r0 + 3 * a.rowStep];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0; k < inner; k++) {
      const value = x[k]!;
      s0 += m[r0 + k]! * value;
      s1 += m[r1 + k]! * value;
      s2 += m[r2 + k]! * value;
      s3 += m[r3 + k]! * value;
    }
    target[i] = s0;
    target[i + 1] = s1;
    target[i + 2] = s2;
    target[i + 3] = s3;
  }
  for (; i < rows; i++) {
    const row = a.offset + i * a.rowStep;
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += m[row + k]! * x[k]!;
    target[i] = sum;
  }
}

function columnByColumn(target: Float64Array, a: Operand, x: Float64Array, rows: number, inner: number): void {
  const m = a.source;
  target.fill(0);
  let k = 0;
  // Four columns at a time, so that the target is read and written less often.
  for (; k + 4 <= inner; k += 4) {
    const c0 = a.offset + k * a.columnStep;
    const [c1, c2, c3] = [c0 + a.columnStep, c0 + 2 * a.columnStep, c0 + 3 * a.columnStep];
    const [x0, x1, x2, x3] = [x[k]!, x[k + 1]!, x[k + 2]!, x[k + 3]!];
    for (let i = 0; i < rows; i++)
      target[i]! += m[c0 + i]! * x0 + m[c1 + i]! * x1 + (m[c2 + i]! * x2 + m[c3 + i]! * x3);
  }
  for (; k < inner; k++) {
    const column = a.offset + k * a.columnStep;
    for (let i = 0; i < rows; i++) target[i]! += m[column + i]! * x[k]!;
  }
}
