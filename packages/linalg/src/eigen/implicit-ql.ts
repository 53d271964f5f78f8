/**
 * Eigenvalues of the symmetric tridiagonal matrix T = S diag(λ) Sᵀ by implicit QL, and the product v·S.
 *
 * @param d its diagonal, [n]; on return the eigenvalues, ascending
 * @param e its off-diagonal, [n − 1] or longer; destroyed
 * @param v [rows, n] row-major, multiplied by S from the right: the identity gives the eigenvectors as columns, one unit
 *   row one component of each
 */
export function tridiagonalEigen(d: Float64Array, e: Float64Array, v: Float64Array, rows: number): void {
  const n = d.length;
  if (n > 0 && e.length >= n) e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1) {
        const pair = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
        if (Math.abs(e[m]!) <= Number.EPSILON * pair) break;
        m++;
      }
      if (m === l) break;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        let f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        for (let k = 0; k < rows; k++) {
          f = v[k * n + i + 1]!;
          v[k * n + i + 1] = s * v[k * n + i]! + c * f;
          v[k * n + i] = c * v[k * n + i]! - s * f;
        }
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => d[a]! - d[b]!);
  const values = Float64Array.from(order, (i) => d[i]!);
  const row = new Float64Array(n);
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < n; j++) row[j] = v[k * n + order[j]!]!;
    v.set(row, k * n);
  }
  d.set(values);
}
