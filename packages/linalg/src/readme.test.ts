import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createRandom, eigh, lanczos, multiply } from "./index.js";
import * as linalg from "./index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("the README's example does what it says", () => {
  const size = 100;
  const features = createRandom("example").normals(size * 300);
  const gram = multiply(features, features, { rows: size, inner: 300, columns: size, transposeB: true });
  const { values } = eigh(gram, size);
  const top = lanczos((x, y) => y.set(multiply(gram, x, { rows: size, inner: size, columns: 1 })), size);
  // Both solvers are backward stable: a few ulps of ‖A‖ = λ_max.
  expect(Math.abs(top.values[0]! / values[size - 1]! - 1)).toBeLessThan(1e-13);
  for (const line of [
    'const features = createRandom("example").normals(size * 300);',
    "const gram = multiply(features, features, { rows: size, inner: 300, columns: size, transposeB: true });",
    "const top = lanczos((x, y) => y.set(multiply(gram, x, { rows: size, inner: size, columns: 1 })), size);",
  ])
    expect(readme).toContain(line);
});

test("the README's table names every function there is", () => {
  const functions = Object.keys(linalg).filter((name) => !name.endsWith("Error"));
  for (const name of functions) expect(readme).toContain(`\`${name}\``);
});
