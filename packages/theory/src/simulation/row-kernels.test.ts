import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { plainRowCombiner, rowCombiner } from "./row-combiner.js";
import { rowKernels } from "./row-kernels.js";
import { plainRowSteps } from "./row-steps.js";
import { rowSteps } from "./row-steps-wasm.js";

// Bit for bit: every sum is taken in the same order, and neither side fuses a product with a sum.
describe("the WebAssembly kernels and their plain versions agree exactly", () => {
  test("and Node has the WebAssembly ones", () => {
    expect(rowKernels(1)).not.toBeNull();
  });

  test.each([
    { size: 1, momentum: 0, drag: 0, noise: false },
    { size: 19, momentum: 0, drag: 0, noise: true },
    { size: 20, momentum: 0.5, drag: 0, noise: false },
    { size: 47, momentum: 0.9, drag: 0.01, noise: true },
    { size: 47, momentum: 0, drag: 0.01, noise: false },
    { size: 47, momentum: 0.9, drag: 0.01, noise: true, nesterov: true },
    { size: 20, momentum: 0.5, drag: 0, noise: false, nesterov: true },
  ])("steps: $size residuals, m = $momentum, nesterov $nesterov, drag $drag, noise $noise", (given) => {
    const { size, momentum, nesterov = false, drag, noise } = given;
    const rng = createRandom("row steps");
    const kernel = rng.normals(size * size).map((x) => (-1e-3 * x) / size);
    const start = rng.normals(size);
    // Empty batches, batches of odd sizes, repeated rows, and more rows than one call takes.
    const counts = Int32Array.from({ length: 9000 }, () => rng.integer(6));
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(16384);
    const rows = Int32Array.from({ length: total }, () => rng.integer(size));
    const added = noise ? rng.normals(total) : null;
    const [plain, wasm] = [plainRowSteps, rowSteps].map((make) => {
      const steps = make(kernel, size, { momentum, nesterov, drag });
      for (let again = 0; again < 2; again++) {
        steps.rest();
        steps.residual.set(start);
        steps.advance(rows.subarray(0, counts[0]), counts.subarray(0, 1), added && added.subarray(0, counts[0]));
        steps.advance(rows.subarray(counts[0]), counts.subarray(1), added && added.subarray(counts[0]));
      }
      const position = new Float64Array(size);
      steps.read(position);
      return [...steps.residual, ...position];
    });
    expect(plain!.every(Number.isFinite)).toBe(true);
    expect(wasm).toEqual(plain);
  });

  test.each([
    [1, 1],
    [3, 20],
    [7, 33],
  ])("combinations of %i rows of %i", (rows, columns) => {
    const rng = createRandom("row combiner");
    const [matrices, bases, x] = [rng.normals(4 * rows * columns), rng.normals(4 * columns), rng.normals(rows)];
    const [plain, wasm] = [plainRowCombiner, rowCombiner].map((make) => {
      const combiner = make(matrices, bases, rows, columns);
      combiner.coefficients.set(x);
      return [2, 0, 3].flatMap((matrix) => {
        combiner.combine(matrix);
        return [...combiner.result];
      });
    });
    expect(wasm).toEqual(plain);
  });
});
