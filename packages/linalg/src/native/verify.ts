import type { Engine } from "../engines/engine.js";
import { typescriptEngine } from "../engines/typescript.js";

/**
 * Compares an engine with the TypeScript one on small problems, every routine once.
 *
 * @returns what disagreed, null if nothing did
 */
export function disagreement(engine: Engine): string | null {
  const size = 20;
  const shape = { rows: size, inner: size, columns: size };
  const a = Float64Array.from({ length: size * size }, (_, i) => ((i * 37) % 41) - 20);
  const symmetric = Float64Array.from(a, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return a[row * size + column]! + a[column * size + row]!;
  });
  const x = a.subarray(0, size);

  const results = (of: Engine): Readonly<Record<string, Float64Array>> => {
    const fresh = (): Float64Array => new Float64Array(size * size);
    const [plain, turned, gram, triangular] = [fresh(), fresh(), fresh(), fresh()];
    const vector = new Float64Array(size);
    of.multiply(plain, a, symmetric, shape);
    of.multiply(turned, a, symmetric, { ...shape, transposeA: true, transposeB: true });
    of.multiply(vector, a, x, { ...shape, columns: 1 });
    of.multiplySymmetric(gram, a, a, { ...shape, transposeB: true });
    for (let i = 0; i < size; i++) gram.fill(0, i * size, i * size + i);
    const single = new Float32Array(size * size);
    of.multiplySymmetricSingle(single, Float32Array.from(a), Float32Array.from(a), { ...shape, transposeB: true });
    const gramSingle = Float64Array.from(single);
    for (let i = 0; i < size; i++) gramSingle.fill(0, i * size, i * size + i);
    of.multiplyTriangular(triangular, a, symmetric, size, size);
    const [values, only, vectors] = [new Float64Array(size), new Float64Array(size), fresh()];
    of.eigh({ values, vectors }, symmetric, size);
    // Eigenvectors have no sign: V Λ Vᵀ has.
    const scaled = Float64Array.from(vectors, (v, i) => v * values[i % size]!);
    const rebuilt = fresh();
    typescriptEngine.multiply(rebuilt, scaled, vectors, { ...shape, transposeB: true });
    of.eigvalsh(only, symmetric, size);
    return { plain, turned, vector, gram, gramSingle, triangular, values, rebuilt, only };
  };

  const names: Readonly<Record<string, string>> = {
    plain: "dgemm",
    turned: "dgemm (transposed)",
    vector: "dgemv",
    gram: "dgemm (bands)",
    gramSingle: "sgemm",
    triangular: "dtrmm",
    values: "dsyevd (eigenvalues)",
    rebuilt: "dsyevd (eigenvectors)",
    only: "dsyevd (eigenvalues only)",
  };
  const expected = results(typescriptEngine);
  for (const [key, actual] of Object.entries(results(engine))) {
    const scale = expected[key]!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Rounding makes a few hundred ulps at most; a wrong routine, everything.
    const off = actual.some((value, i) => !(Math.abs(value - expected[key]![i]!) <= 1e-11 * scale));
    if (off) return `${names[key]} gives wrong results`;
  }
  return null;
}
