import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eigh } from "./eigh.js";
import { dot, norm } from "./gram-schmidt.js";
import { lanczos, lanczosAsync, type LanczosOptions, type LanczosResult } from "./lanczos.js";
import { multiply } from "./products.js";
import { createRandom } from "./random.js";

type Apply = (x: Float64Array, y: Float64Array) => void;

/** The operator of a matrix. */
function operator(matrix: Float64Array): Apply {
  const size = Math.sqrt(matrix.length);
  return (x, y) => y.set(multiply(matrix, x, { rows: size, inner: size, columns: 1 }));
}

/** V diag(spectrum) Vᵀ with random orthogonal V: the spectrum is the independent truth. */
function withSpectrum(spectrum: readonly number[], seed: number): Float64Array {
  const size = spectrum.length;
  const random = createRandom(seed).normals(size * size);
  const { vectors } = eigh(random, size);
  const scaled = vectors.map((v, i) => v * spectrum[i % size]!);
  return multiply(scaled, vectors, { rows: size, inner: size, columns: size, transposeB: true });
}

const anySpectrum = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

describe("lanczos", () => {
  test("finds the largest eigenvalue, with a residual that is what it says", () => {
    fc.assert(
      fc.property(anySpectrum, fc.nat(), (spectrum, seed) => {
        const matrix = withSpectrum(spectrum, seed);
        const size = spectrum.length;
        const { values, vectors, ritzResiduals, converged } = lanczos(operator(matrix), size);
        const image = new Float64Array(size);
        operator(matrix)(vectors, image);
        const residual = norm(image.map((y, i) => y - values[0]! * vectors[i]!));
        const scale = Math.max(...spectrum.map(Math.abs), 1e-300);
        expect(converged).toBe(true);
        expect(Math.abs(norm(vectors) - 1)).toBeLessThan(1e-14);
        // Both the matrix and the recurrence are exact to some ulps of ‖A‖ ≤ 1 for each of at most 30 terms.
        expect(Math.abs(values[0]! - Math.max(...spectrum))).toBeLessThan(1e-10 * scale + 1e-14);
        expect(Math.abs(residual - ritzResiduals[0]!)).toBeLessThan(1e-13);
      }),
    );
  });

  test("the top k are descending, orthonormal and those of the dense solver", () => {
    const size = 40;
    const matrix = createRandom("top").normals(size * size);
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
    const dense = eigh(matrix, size).values;
    const { values, vectors, converged } = lanczos(operator(matrix), size, { wanted: 5 });
    expect(converged).toBe(true);
    for (let k = 0; k < 5; k++) {
      expect(values[k]).toBeCloseTo(dense[size - 1 - k]!, 11);
      for (let j = 0; j <= k; j++) {
        const [x, y] = [vectors.subarray(k * size, (k + 1) * size), vectors.subarray(j * size, (j + 1) * size)];
        expect(dot(x, y)).toBeCloseTo(j === k ? 1 : 0, 13);
      }
    }
  });

  test("an operator in many dimensions needs far fewer products than dimensions", () => {
    // Eigenvalues 1 and 0 … 0.5 on the diagonal: converges like the Chebyshev polynomials, to 1e-10 within 25 products.
    const size = 5000;
    const apply: Apply = (x, y) => x.forEach((value, i) => (y[i] = value * (i === 0 ? 1 : (0.5 * i) / size)));
    const { values, iterations, converged } = lanczos(apply, size);
    expect(converged).toBe(true);
    expect(Math.abs(values[0]! - 1)).toBeLessThan(1e-14);
    expect(iterations).toBeLessThan(30);
  });

  test("a warm start from the former eigenvector needs fewer products than a random one", () => {
    const spectrum = Array.from({ length: 200 }, (_, i) => 0.98 ** i);
    const before = withSpectrum(spectrum, 1);
    const change = createRandom("change").normals(200);
    const after = before.map((a, i) => a + 1e-6 * change[Math.floor(i / 200)]! * change[i % 200]!);
    const start = lanczos(operator(before), 200).vectors;
    const cold = lanczos(operator(after), 200, { tolerance: 1e-6 });
    const warm = lanczos(operator(after), 200, { tolerance: 1e-6, start });
    expect(warm.iterations).toBeLessThan(0.7 * cold.iterations);
    expect(warm.values[0]).toBeCloseTo(cold.values[0]!, 10);
  });

  test("stopping at the error of the value takes fewer products, and keeps its promise", () => {
    const spectrum = Array.from({ length: 300 }, (_, i) => (i === 0 ? 1 : (0.9 * i) / 300));
    const apply = operator(withSpectrum(spectrum, 4));
    const byResidual = lanczos(apply, 300, { tolerance: 1e-6 });
    const byValue = lanczos(apply, 300, { tolerance: 1e-6, stop: "value" });
    expect(byValue.converged).toBe(true);
    expect(byValue.iterations).toBeLessThan(0.8 * byResidual.iterations);
    expect(Math.abs(byValue.values[0]! - 1)).toBeLessThan(1e-6);
  });

  test("a gap known beforehand lets a good start pass after one product, and not a bad one", () => {
    // Eigenvalues 1, 0.9, 0.8 …: the vector (1, ε, ε …) has the residual r ≈ 0.1ε√Σk² and an error of at most r²/0.1.
    const spectrum = Array.from({ length: 10 }, (_, i) => 1 - i / 10);
    const apply: Apply = (x, y) => x.forEach((value, i) => (y[i] = value * spectrum[i]!));
    const start = (epsilon: number) => Float64Array.from(spectrum, (_, i) => (i === 0 ? 1 : epsilon));
    const settings = { tolerance: 1e-8, stop: "value", gap: 0.1 } as const;
    const good = lanczos(apply, 10, { ...settings, start: start(1e-6) });
    expect(good).toMatchObject({ iterations: 1, converged: true, gaps: Float64Array.of(Infinity) });
    expect(Math.abs(good.values[0]! - 1)).toBeLessThan(1e-8);
    expect(lanczos(apply, 10, { ...settings, start: start(1e-6), gap: undefined }).iterations).toBe(3);
    const bad = lanczos(apply, 10, { ...settings, start: start(0.5) });
    expect(bad.iterations).toBeGreaterThan(3);
    expect(Math.abs(bad.values[0]! - 1)).toBeLessThan(1e-8);
    expect(bad.gaps[0]).toBeCloseTo(0.1, 2); // the second Ritz value is not yet exact
  });

  test("too few iterations are reported as not converged, with the best values so far", () => {
    const spectrum = Array.from({ length: 100 }, (_, i) => i);
    const { converged, iterations, values, ritzResiduals } = lanczos(operator(withSpectrum(spectrum, 3)), 100, {
      maxIterations: 5,
    });
    expect(converged).toBe(false);
    expect(iterations).toBe(5);
    // Some eigenvalue, here the largest, is within the residual.
    expect(Math.abs(values[0]! - 99)).toBeLessThan(ritzResiduals[0]!);
  });

  test("the asynchronous form does the same arithmetic", async () => {
    const apply = operator(withSpectrum([5, 4, 3, 2, 1], 9));
    const later = await lanczosAsync(async (x) => {
      const y = new Float64Array(5);
      apply(x, y);
      return y;
    }, 5);
    expect(later).toEqual(lanczos(apply, 5));
  });
});

describe("lanczos where the Krylov space is exhausted early", () => {
  const top = (spectrum: readonly number[], options: LanczosOptions): LanczosResult =>
    lanczos(operator(Float64Array.from(diagonal(spectrum))), spectrum.length, options);
  const diagonal = (spectrum: readonly number[]): number[] =>
    spectrum.flatMap((value, i) => spectrum.map((_, j) => (i === j ? value : 0)));

  test("size 1", () => {
    expect(top([-3], {})).toMatchObject({ values: Float64Array.of(-3), iterations: 1, converged: true });
  });

  test("the zero operator", () => {
    const { values, converged, ritzResiduals } = top([0, 0, 0, 0], { wanted: 2 });
    expect(converged).toBe(true);
    expect([...values, ...ritzResiduals]).toEqual([0, 0, 0, 0]);
  });

  test("a multiple of the identity has as many copies as are wanted", () => {
    const { values, converged } = top([2, 2, 2, 2, 2], { wanted: 3 });
    expect(converged).toBe(true);
    for (const value of values) expect(value).toBeCloseTo(2, 14);
  });

  test("copies of a repeated eigenvalue are found", () => {
    const { values, converged } = top([3, 3, 3, 1, 1, 0, 0, 0], { wanted: 4 });
    expect(converged).toBe(true);
    [3, 3, 3, 1].forEach((value, k) => expect(values[k]).toBeCloseTo(value, 13));
  });

  test("a start that is the wrong eigenvector does not hide the largest eigenvalue", () => {
    const start = Float64Array.of(0, 0, 1, 0, 0, 0);
    const { values, converged } = top([9, 7, 5, 3, 2, 1], { start });
    expect(converged).toBe(true);
    expect(values[0]).toBeCloseTo(9, 12);
  });

  test.each([1e-300, 1e-150, 1e150, 1e300])("entries of order %f", (scale) => {
    const { values, converged } = top([3 * scale, 2 * scale, scale], { wanted: 2 });
    expect(converged).toBe(true);
    expect(values[0]! / scale).toBeCloseTo(3, 12);
    expect(values[1]! / scale).toBeCloseTo(2, 12);
  });
});

describe("lanczos refuses, by name,", () => {
  const apply: Apply = (x, y) => y.set(x);
  test.each<[string, () => unknown, string]>([
    ["no function", () => lanczos(null as unknown as Apply, 3), "lanczos: apply: expected a function, got null."],
    ["size 0", () => lanczos(apply, 0), "lanczos: size: expected an integer of at least 1, got 0."],
    [
      "too many wanted",
      () => lanczos(apply, 3, { wanted: 4 }),
      "lanczos: wanted: expected an integer from 1 to 3, got 4.",
    ],
    [
      "too few iterations",
      () => lanczos(apply, 3, { wanted: 2, maxIterations: 1 }),
      "lanczos: maxIterations: expected an integer of at least 2, got 1.",
    ],
    [
      "a tolerance of 1",
      () => lanczos(apply, 3, { tolerance: 1 }),
      "lanczos: tolerance: expected a number in [0, 1), got 1.",
    ],
    [
      "an unknown criterion",
      () => lanczos(apply, 3, { stop: "never" as "value" }),
      'lanczos: stop: expected "residual" or "value", got "never".',
    ],
    ["a gap of 0", () => lanczos(apply, 3, { gap: 0 }), "lanczos: gap: expected a number above 0, got 0."],
    [
      "a start of another size",
      () => lanczos(apply, 3, { start: new Float64Array(2) }),
      "lanczos: start: expected size = 3 entries, got 2.",
    ],
    [
      "a zero start",
      () => lanczos(apply, 2, { start: new Float64Array(2) }),
      "lanczos: start: expected a vector other than zero.",
    ],
    [
      "a product with NaN",
      () => lanczos((_, y) => void y.fill(NaN, 1), 2),
      "lanczos: the product from apply[1]: expected finite numbers, got NaN.",
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });

  test("an asynchronous product of another size", async () => {
    await expect(lanczosAsync(async () => new Float64Array(2), 3)).rejects.toThrow(
      "lanczosAsync: the product from apply: expected size = 3 entries, got 2.",
    );
  });
});
