/**
 * Removes from w its components along an orthonormal basis, twice: once leaves what rounding makes of a large component,
 * twice is enough (Giraud, Langou, Rozložník and van den Eshof 2005). Four vectors at a time, so that w is read less often.
 */
export function orthogonalise(w: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    let k = 0;
    for (; k + 4 <= basis.length; k += 4) removeFour(w, basis[k]!, basis[k + 1]!, basis[k + 2]!, basis[k + 3]!);
    for (; k < basis.length; k++) addScaled(w, -dot(basis[k]!, w), basis[k]!);
  }
}

function removeFour(w: Float64Array, a: Float64Array, b: Float64Array, c: Float64Array, d: Float64Array): void {
  let alongA = 0;
  let alongB = 0;
  let alongC = 0;
  let alongD = 0;
  for (let i = 0; i < w.length; i++) {
    const x = w[i]!;
    alongA += a[i]! * x;
    alongB += b[i]! * x;
    alongC += c[i]! * x;
    alongD += d[i]! * x;
  }
  for (let i = 0; i < w.length; i++) w[i]! -= alongA * a[i]! + alongB * b[i]! + (alongC * c[i]! + alongD * d[i]!);
}

/** In four sums, which do not wait for each other. */
export function dot(x: Float64Array, y: Float64Array): number {
  const whole = x.length & ~3;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i < whole; i += 4) {
    s0 += x[i]! * y[i]!;
    s1 += x[i + 1]! * y[i + 1]!;
    s2 += x[i + 2]! * y[i + 2]!;
    s3 += x[i + 3]! * y[i + 3]!;
  }
  for (; i < x.length; i++) s0 += x[i]! * y[i]!;
  return s0 + s1 + (s2 + s3);
}

export function addScaled(target: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < x.length; i++) target[i]! += factor * x[i]!;
}

/** ‖x‖, without over- or underflow of the squares. */
export function norm(x: Float64Array): number {
  const square = dot(x, x);
  if (square > 1e-250 && square < 1e250) return Math.sqrt(square);
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const value of x) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Scales x to unit length, in place. It must not be zero. */
export function normalise(x: Float64Array): Float64Array {
  const length = norm(x);
  for (let i = 0; i < x.length; i++) x[i]! /= length;
  return x;
}
