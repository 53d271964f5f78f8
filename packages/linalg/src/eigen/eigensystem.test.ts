import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Eigensystem } from "../eigh.js";
import type * as workspaceModule from "../kernels/workspace.js";
import { createRandom } from "../random.js";
import type * as eigensystemModule from "./eigensystem.js";

/** Entry (i, j) of a symmetric matrix by a rule. */
function matrixOf(size: number, entry: (i: number, j: number) => number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) matrix[i * size + j] = matrix[j * size + i] = entry(i, j);
  return matrix;
}

function randomMatrix(size: number, seed: number | string): Float64Array {
  const rng = createRandom(seed);
  return matrixOf(size, () => rng.normal());
}

/** max |A V − V Λ| / ‖A‖ and max |VᵀV − 1|, both in units of ε, computed from the definitions. */
function defects(matrix: Float64Array, { values, vectors }: Eigensystem): { residual: number; orthogonality: number } {
  const n = values.length;
  let residual = 0;
  let orthogonality = 0;
  const norm = values.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
  const rows = Array.from({ length: n }, (_, k) => Float64Array.from({ length: n }, (_, i) => vectors[i * n + k]!));
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += (matrix[i * n + j]! / norm) * rows[k]![j]!;
      residual = Math.max(residual, Math.abs(sum - (values[k]! / norm) * rows[k]![i]!));
      if (i < k) continue;
      let overlap = 0;
      for (let j = 0; j < n; j++) overlap += rows[k]![j]! * rows[i]![j]!;
      orthogonality = Math.max(orthogonality, Math.abs(overlap - (i === k ? 1 : 0)));
    }
  }
  return { residual: residual / Number.EPSILON, orthogonality: orthogonality / Number.EPSILON };
}

describe.each(["wasm", "plain"] as const)("the TypeScript eigensolver on %s kernels", (kernels) => {
  let solver: typeof eigensystemModule;
  let workspace: (typeof workspaceModule)["workspace"];

  beforeAll(async () => {
    vi.resetModules();
    if (kernels === "plain") vi.doMock("../kernels/wasm.js", () => ({ createWasmKernels: () => null }));
    else vi.doUnmock("../kernels/wasm.js");
    solver = await import("./eigensystem.js");
    ({ workspace } = await import("../kernels/workspace.js"));
    expect(workspace(8).name).toBe(kernels);
  });

  function solve(matrix: Float64Array, size: number): Eigensystem {
    const target = { values: new Float64Array(size), vectors: new Float64Array(size * size).fill(NaN) };
    // What an earlier call left in the workspace must not matter.
    workspace(8).memory.fill(NaN);
    solver.eigensystem(target, matrix, size);
    return target;
  }

  /** Backward stable: an error of a modest multiple of ε times ‖A‖, growing no faster than the size. */
  function expectSolved(matrix: Float64Array, size: number): Eigensystem {
    const system = solve(matrix, size);
    const { residual, orthogonality } = defects(matrix, system);
    expect(residual).toBeLessThan(10 + size);
    expect(orthogonality).toBeLessThan(10 + size);
    for (let k = 1; k < size; k++) expect(system.values[k]!).toBeGreaterThanOrEqual(system.values[k - 1]!);
    const only = new Float64Array(size);
    workspace(8).memory.fill(NaN);
    solver.eigenvalues(only, matrix, size);
    const norm = Math.max(Math.abs(system.values[0]!), Math.abs(system.values[size - 1]!), Number.MIN_VALUE);
    only.forEach((value, k) =>
      expect(Math.abs(value - system.values[k]!) / norm).toBeLessThan((10 + size) * Number.EPSILON),
    );
    return system;
  }

  test("solves random matrices of every size around the leaf and block sizes", () => {
    for (const size of [1, 2, 3, 31, 32, 33, 34, 63, 64, 65, 66, 67, 96, 97, 129, 161])
      expectSolved(randomMatrix(size, size), size);
  });

  test("solves matrices with few different eigenvalues, whatever the split", () => {
    fc.assert(
      fc.property(fc.integer({ min: 33, max: 80 }), fc.integer({ min: 1, max: 4 }), fc.nat(), (size, kinds, seed) => {
        // A permutation-like sparse pattern of a few values: exact zeros couple nothing, repeats deflate.
        const rng = createRandom(seed);
        const values = rng.normals(kinds);
        expectSolved(
          matrixOf(size, (i, j) => (rng.integer(3) === 0 || i === j ? values[rng.integer(kinds)]! : 0)),
          size,
        );
      }),
      { numRuns: 25 },
    );
  });

  test.each<[string, (i: number, j: number) => number]>([
    ["zero", () => 0],
    ["the identity", (i, j) => (i === j ? 1 : 0)],
    ["all ones, of rank 1", () => 1],
    ["diagonal, descending", (i, j) => (i === j ? -i : 0)],
    [
      "Wilkinson's, with pairs equal to working precision",
      (i, j) => (i === j ? Math.abs(i - 35) : j === i + 1 ? 1 : 0),
    ],
    ["Hilbert's, singular to working precision", (i, j) => 1 / (i + j + 1)],
    ["graded over fourteen decades", (i, j) => 10 ** (-0.2 * Math.max(i, j))],
    ["graded the other way", (i, j) => 10 ** (-0.2 * (70 - Math.min(i, j)))],
    ["two blocks that do not touch", (i, j) => (i < 35 === j < 35 ? 1 / (1 + j - i) : 0)],
    ["of entries near the smallest", (i, j) => 2 ** -1000 * (1 + ((i * j) % 7))],
    ["of entries near the largest", (i, j) => 2 ** 1010 * (1 - ((i * j) % 7))],
  ])("solves a matrix that is %s", (_, entry) => {
    for (const size of [7, 71]) expectSolved(matrixOf(size, entry), size);
  });

  test("the second difference has eigenvalues 2 − 2 cos(πk/(n+1))", () => {
    const size = 100;
    const { values } = expectSolved(
      matrixOf(size, (i, j) => (i === j ? 2 : j === i + 1 ? -1 : 0)),
      size,
    );
    // ‖A‖ < 4, and each eigenvalue is good to a few ε‖A‖.
    values.forEach((value, k) =>
      expect(Math.abs(value - (2 - 2 * Math.cos((Math.PI * (k + 1)) / (size + 1))))).toBeLessThan(size * 1e-16),
    );
  });

  test("a power of two scales the eigenvalues exactly and leaves the vectors alone", () => {
    const matrix = randomMatrix(50, "scale");
    const { values, vectors } = solve(matrix, 50);
    const scaled = solve(
      matrix.map((a) => a * 2 ** 40),
      50,
    );
    expect(scaled.vectors).toEqual(vectors);
    expect(scaled.values).toEqual(values.map((value) => value * 2 ** 40));
  });
});
