import { expect, test } from "vitest";
import { eigh } from "./eigh.js";
import { lanczos, lanczosAsync } from "./lanczos.js";
import { createRandom } from "./random.js";

const size = 40;
const rng = createRandom("lanczos test");
const matrix = new Float64Array(size * size);
for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = rng.normal();
const apply = (x: Float64Array, y: Float64Array): void => {
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * x[j]!;
    y[i] = sum;
  }
};

test("the top three agree with the dense solver", () => {
  const { values } = eigh(matrix, size);
  const found = lanczos(apply, size, { wanted: 3 });
  expect(found.converged).toBe(true);
  for (let k = 0; k < 3; k++) expect(found.values[k]).toBeCloseTo(values[size - 1 - k]!, 11);
});

test("the asynchronous form does the same arithmetic", async () => {
  const later = await lanczosAsync(async (x) => {
    const y = new Float64Array(size);
    apply(x, y);
    return y;
  }, size);
  expect(later).toEqual(lanczos(apply, size));
});
