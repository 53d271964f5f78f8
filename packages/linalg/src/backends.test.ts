import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { selectBackend } from "./backend.js";
import { type Eigensystem, eigh, eighInto, eigvalsh } from "./eigh.js";
import { typescriptEngine } from "./engines/typescript.js";
import { native } from "./native/node.js";
import { multiply, multiplySymmetric, multiplyTriangular } from "./products.js";
import { createRandom } from "./random.js";

// The first library found on this machine, if any: the suite runs for TypeScript alone where there is none.
const library = native.findLibrary().engine;
const available = library === null ? (["typescript"] as const) : (["typescript", "lapack"] as const);

/** ‖x − y‖ / ‖y‖, 0 for two empty or zero arrays. */
function relativeError(x: Float64Array, y: Float64Array): number {
  expect(x.length).toBe(y.length);
  const norm = (of: (i: number) => number): number => Math.sqrt(y.reduce((sum, _, i) => sum + of(i) ** 2, 0));
  const difference = norm((i) => x[i]! - y[i]!);
  return difference === 0 ? 0 : difference / norm((i) => y[i]!);
}

function symmetric(size: number, name: string): Float64Array {
  const matrix = createRandom(name).normals(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i]!;
  return matrix;
}

describe.each(available)("the %s backend agrees with the TypeScript one to 1e-10", (name) => {
  beforeAll(() => {
    vi.spyOn(process, "emitWarning").mockReturnValue();
    expect(selectBackend(name).name).toBe(name);
  });
  afterAll(() => {
    vi.restoreAllMocks();
    selectBackend("typescript");
  });

  test.each([
    [1, 1, 1],
    [3, 0, 2],
    [1, 9, 7],
    [7, 9, 1],
    [64, 33, 129],
    [130, 300, 41],
  ])("products of %i × %i by %i columns, transposed or not", (rows, inner, columns) => {
    const rng = createRandom(`products ${rows} ${inner} ${columns}`);
    const a = rng.normals(rows * inner);
    const b = rng.normals(inner * columns);
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const shape = { rows, inner, columns, transposeA, transposeB };
        const expected = new Float64Array(rows * columns);
        typescriptEngine.multiply(expected, a, b, shape);
        expect(relativeError(multiply(a, b, shape), expected)).toBeLessThan(1e-10);
      }
    }
  });

  test.each([1, 5, 50, 130])("symmetric and triangular products of size %i", (size) => {
    const rng = createRandom(`symmetric ${size}`);
    const a = rng.normals(size * 30);
    for (const turned of [false, true]) {
      const gram = { size, inner: 30, transposeA: turned, transposeB: !turned };
      const expected = new Float64Array(size * size);
      typescriptEngine.multiply(expected, a, a, { ...gram, rows: size, columns: size });
      expect(relativeError(multiplySymmetric(a, a, gram), expected)).toBeLessThan(1e-10);
    }
    const upper = symmetric(size, "upper");
    const expected = new Float64Array(30 * size);
    typescriptEngine.multiplyTriangular(expected, a, upper, 30, size);
    expect(relativeError(multiplyTriangular(a, upper, { rows: 30, size }), expected)).toBeLessThan(1e-10);
  });

  test.each([0, 1, 2, 7, 60, 150])("eigenvalues and eigenspaces of size %i", (size) => {
    const matrix = symmetric(size, `eigh ${size}`);
    const { values, vectors } = eigh(matrix, size);
    const expected = { values: new Float64Array(size), vectors: new Float64Array(size * size) };
    typescriptEngine.eigh(expected, matrix, size);
    expect(relativeError(values, expected.values)).toBeLessThan(1e-10);
    expect(relativeError(eigvalsh(matrix, size), expected.values)).toBeLessThan(1e-10);
    // Vectors agree up to sign: compare V e^Λ/‖A‖ Vᵀ, which has none and weighs each differently.
    const top = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-300);
    const apply = (system: Eigensystem): Float64Array => {
      const scaled = system.vectors.map((v, i) => v * Math.exp(system.values[i % size]! / top));
      return multiply(scaled, system.vectors, { rows: size, inner: size, columns: size, transposeB: true });
    };
    expect(relativeError(apply({ values, vectors }), apply(expected))).toBeLessThan(1e-10);
  });

  test("only the upper triangle is read", () => {
    const matrix = symmetric(20, "triangle");
    const half = matrix.slice();
    for (let i = 0; i < 20; i++) half.fill(7, i * 20, i * 20 + i);
    expect(eigh(half, 20)).toEqual(eigh(matrix, 20));
  });

  test("eighInto fills the arrays it is given", () => {
    const matrix = symmetric(30, "into");
    const target = { values: new Float64Array(30), vectors: new Float64Array(900).fill(NaN) };
    expect(eighInto(target, matrix, 30)).toBe(target);
    expect(target).toEqual(eigh(matrix, 30));
  });
});
