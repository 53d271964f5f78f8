import { describe, expect, test } from "vitest";
import { eigh, eighInto, eigvalsh } from "./eigh.js";
import { LinalgRangeError, LinalgTypeError } from "./errors.js";
import { multiply } from "./products.js";
import { createRandom } from "./random.js";

function symmetric(size: number, name: string): Float64Array {
  const rng = createRandom(name);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = rng.normal();
  }
  return matrix;
}

describe("eigh", () => {
  test.each([1, 2, 3, 10, 65])("A V = V Λ and VᵀV = 1 for size %i", (n) => {
    const a = symmetric(n, `eigh ${n}`);
    const { values, vectors } = eigh(a, n);
    const shape = { rows: n, inner: n, columns: n };
    const av = multiply(a, vectors, shape);
    const gram = multiply(vectors, vectors, { ...shape, transposeA: true });
    let residual = 0;
    let defect = 0;
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < n; k++) {
        residual = Math.max(residual, Math.abs(av[i * n + k]! - values[k]! * vectors[i * n + k]!));
        defect = Math.max(defect, Math.abs(gram[i * n + k]! - (i === k ? 1 : 0)));
      }
    }
    // Backward stable: some n ulps of ‖A‖ ≈ 2√n.
    expect(residual).toBeLessThan(n * Math.sqrt(n) * 2e-15);
    expect(defect).toBeLessThan(n * 2e-15);
    expect(Array.from(values)).toEqual(Array.from(values).sort((x, y) => x - y));
    // Another algorithm, as backward stable.
    eigvalsh(a, n).forEach((value, k) => expect(Math.abs(value - values[k]!)).toBeLessThan(n * 4e-15));
  });

  test("the second difference has eigenvalues 2 − 2 cos(πk/(n+1))", () => {
    const n = 30;
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      a[i * n + i] = 2;
      if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = -1;
    }
    const { values } = eigh(a, n);
    values.forEach((value, k) => expect(value).toBeCloseTo(2 - 2 * Math.cos((Math.PI * (k + 1)) / (n + 1)), 13));
  });
});

describe("bad input is refused by name", () => {
  const four = Float64Array.of(2, 1, 1, 2);
  const target = { values: new Float64Array(2), vectors: new Float64Array(4) };
  test.each<[() => unknown, string]>([
    [() => eigh(four, 3), "eigh: matrix: expected size × size = 3 × 3 = 9 entries, got 4."],
    [() => eigh(four, -1), "eigh: size: expected an integer of at least 0, got -1."],
    [() => eigh(four, "2" as unknown as number), 'eigh: size: expected an integer of at least 0, got "2".'],
    [() => eigh(Float64Array.of(2, NaN, NaN, 2), 2), "eigh: matrix[1]: expected finite numbers, got NaN."],
    [
      () => eigvalsh(Float64Array.of(2, 1, 1, Infinity), 2),
      "eigvalsh: matrix[3]: expected finite numbers, got Infinity.",
    ],
    [
      () => eigvalsh(new Float32Array(4) as unknown as Float64Array, 2),
      "eigvalsh: matrix: expected a Float64Array, got Float32Array of length 4.",
    ],
    [
      () => eighInto({ ...target, values: new Float64Array(3) }, four, 2),
      "eighInto: target.values: expected size = 2 entries, got 3.",
    ],
    [
      () => eighInto({ ...target, vectors: four }, four, 2),
      "eighInto: target.vectors: expected memory of its own, got some shared with matrix.",
    ],
  ])("%s", (call, message) => {
    expect(call).toThrow(message);
  });

  test("with errors that are RangeErrors and TypeErrors and carry a stable code", () => {
    expect(() => eigh(four, 3)).toThrow(RangeError);
    expect(() => eigh(null as unknown as Float64Array, 2)).toThrow(TypeError);
    expect(new LinalgRangeError("message")).toMatchObject({ name: "LinalgRangeError", code: "LINALG_RANGE" });
    expect(new LinalgTypeError("message")).toMatchObject({ name: "LinalgTypeError", code: "LINALG_TYPE" });
  });
});
