import { createRandom, multiply } from "@sedge/linalg";
import { expect, test } from "vitest";
import { outputHessianRoots } from "./objective.js";

// Truth: H = diag(p) − p pᵀ, here with the softmax taken directly. The root squared differs from it by the rounding of
// an eigendecomposition and a product, some tens of ε ‖H‖ ≤ 10·2e-16·½; 1e-14 leaves room.
test("a cross-entropy root is symmetric, squares to the Hessian and leaves the all-ones direction at zero", () => {
  const [examples, outputs] = [6, 5];
  const output = createRandom(1)
    .normals(examples * outputs)
    .map((x) => 3 * x);
  const roots = outputHessianRoots("cross-entropy", output, outputs)!;
  for (let i = 0; i < examples; i++) {
    const root = roots.subarray(i * outputs ** 2, (i + 1) * outputs ** 2);
    const powers = Array.from(output.subarray(i * outputs, (i + 1) * outputs), Math.exp);
    const total = powers.reduce((sum, x) => sum + x, 0);
    const p = powers.map((x) => x / total);
    const square = multiply(root, root, { rows: outputs, inner: outputs, columns: outputs });
    for (let a = 0; a < outputs; a++) {
      let row = 0;
      for (let c = 0; c < outputs; c++) {
        expect(Math.abs(square[a * outputs + c]! - ((a === c ? p[a]! : 0) - p[a]! * p[c]!))).toBeLessThan(1e-14);
        expect(Math.abs(root[a * outputs + c]! - root[c * outputs + a]!)).toBeLessThan(1e-14);
        row += root[a * outputs + c]!;
      }
      expect(Math.abs(row)).toBeLessThan(1e-14);
    }
  }
});

// p = (1 − q, q) with q = 1e-12/(1 + 1e-12) gives H = q(1 − q)·[[1, −1], [−1, 1]] and the root √(½·1e-12)·[[1, −1], [−1, 1]]
// to a relative 1e-12; with 1 − p in place of the sum of the others only four digits of it would come out.
test("a confident output keeps its digits", () => {
  const root = outputHessianRoots("cross-entropy", [Math.log(1e12), 0], 2)!;
  const expected = Math.sqrt(0.5e-12);
  for (const [k, sign] of [1, -1, -1, 1].entries())
    expect(Math.abs(root[k]! / (sign * expected) - 1)).toBeLessThan(1e-11);
});

test("the squared loss has the identity for a root", () => {
  expect(outputHessianRoots("squared", [1, 2, 3, 4], 2)).toBeNull();
});
