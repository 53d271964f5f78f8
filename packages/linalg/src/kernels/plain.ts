import type { Kernels } from "./kernels.js";

/** The kernels in plain TypeScript, for engines without WebAssembly SIMD. */
export function createPlainKernels(words: number): Kernels {
  const m = new Float64Array(words);
  return {
    name: "plain",
    memory: m,

    strip(c, rowLength, a, b, tiles, inner, panelLength = inner) {
      // Two rows at a time: eight sums and six operands fit the sixteen registers, a 4×4 tile would not.
      for (let tile = 0; tile < tiles; tile++, a += 4 * panelLength) {
        for (let row = 0; row < 4; row += 2, c += 2 * rowLength) {
          let s00 = 0;
          let s01 = 0;
          let s02 = 0;
          let s03 = 0;
          let s10 = 0;
          let s11 = 0;
          let s12 = 0;
          let s13 = 0;
          for (let k = 0, p = a + row, q = b; k < inner; k++, p += 4, q += 4) {
            const a0 = m[p]!;
            const a1 = m[p + 1]!;
            const b0 = m[q]!;
            const b1 = m[q + 1]!;
            const b2 = m[q + 2]!;
            const b3 = m[q + 3]!;
            s00 += a0 * b0;
            s01 += a0 * b1;
            s02 += a0 * b2;
            s03 += a0 * b3;
            s10 += a1 * b0;
            s11 += a1 * b1;
            s12 += a1 * b2;
            s13 += a1 * b3;
          }
          m[c]! += s00;
          m[c + 1]! += s01;
          m[c + 2]! += s02;
          m[c + 3]! += s03;
          const next = c + rowLength;
          m[next]! += s10;
          m[next + 1]! += s11;
          m[next + 2]! += s12;
          m[next + 3]! += s13;
        }
      }
    },

    symmetricRows(a, rowLength, x, y, count) {
      const [x0, x1, x2, x3] = [m[x]!, m[x + 1]!, m[x + 2]!, m[x + 3]!];
      const [r1, r2, r3] = [a + rowLength, a + 2 * rowLength, a + 3 * rowLength];
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let j = 0; j < count; j++) {
        const xj = m[x + 4 + j]!;
        const a0 = m[a + j]!;
        const a1 = m[r1 + j]!;
        const a2 = m[r2 + j]!;
        const a3 = m[r3 + j]!;
        s0 += a0 * xj;
        s1 += a1 * xj;
        s2 += a2 * xj;
        s3 += a3 * xj;
        m[y + 4 + j]! += a0 * x0 + a1 * x1 + (a2 * x2 + a3 * x3);
      }
      m[y]! += s0;
      m[y + 1]! += s1;
      m[y + 2]! += s2;
      m[y + 3]! += s3;
    },

    dots(t, v, rowLength, x, count) {
      const [r1, r2, r3] = [v + rowLength, v + 2 * rowLength, v + 3 * rowLength];
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let j = 0; j < count; j++) {
        const xj = m[x + j]!;
        s0 += m[v + j]! * xj;
        s1 += m[r1 + j]! * xj;
        s2 += m[r2 + j]! * xj;
        s3 += m[r3 + j]! * xj;
      }
      m[t] = s0;
      m[t + 1] = s1;
      m[t + 2] = s2;
      m[t + 3] = s3;
    },

    combine(y, v, rowLength, t, count) {
      const [t0, t1, t2, t3] = [m[t]!, m[t + 1]!, m[t + 2]!, m[t + 3]!];
      const [r1, r2, r3] = [v + rowLength, v + 2 * rowLength, v + 3 * rowLength];
      for (let j = 0; j < count; j++)
        m[y + j]! += m[v + j]! * t0 + m[r1 + j]! * t1 + (m[r2 + j]! * t2 + m[r3 + j]! * t3);
    },
  };
}
