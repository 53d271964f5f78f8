import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { rowKernels } from "./row-kernels.js";
import { plainRowSteps } from "./row-steps.js";
import { rowSteps } from "./row-steps-wasm.js";
import { plainSlopes, slopes } from "./slopes.js";

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
    [1, 1, 1],
    [2, 7, 3],
    [3, 8, 5],
    [2, 21, 4],
  ])("residuals, slopes and gradients of %i examples with %i parameters at %i places", (examples, params, walkers) => {
    const rng = createRandom("slopes");
    const model = {
      ...{ examples, params, jacobian: rng.normals(examples * params), residual: rng.normals(examples) },
      curvature: rng.normals(examples * params * params),
    };
    const places = Array.from({ length: walkers }, () => rng.normals(params));
    const everyone = places.map((_, walker) => walker);
    const [plain, wasm] = [plainSlopes, slopes].map((make) => {
      const { params: thetas, gradients, pull, look } = make(model, walkers);
      places.forEach((place, walker) => thetas[walker]!.set(place));
      for (let i = 0; i < examples; i++) pull(i, everyone);
      pull(0, everyone.slice(1));
      const slope = new Float64Array(params);
      return [gradients.map((gradient) => [...gradient]), look(examples - 1, walkers - 1, slope), [...slope]];
    });
    expect(wasm).toEqual(plain);
  });
});
