import { describe, expect, test } from "vitest";
import { gaussianJacobian } from "./fixtures/support.js";
import { linearSystem, type LinearSystemInput } from "./linear-system.js";

describe("linearSystem", () => {
  // V diag(λ) Vᵀ = J Jᵀ/N whichever of the two sides was decomposed; entries are O(1), sums of some 30 terms.
  test.each([
    ["fewer parameters than residuals", 6, 2, 5],
    ["more parameters than residuals", 6, 2, 30],
    ["one parameter", 3, 1, 1],
  ])("the modes rebuild the kernel: %s", (_, examples, outputs, params) => {
    const jacobian = gaussianJacobian("rebuild", examples, outputs, params);
    const { size, rank, modes, eigenvalues, spectrum, trace } = linearSystem({ jacobian, examples, outputs });
    expect(rank).toBe(Math.min(size, params));
    expect(spectrum.filter((lambda) => lambda === 0)).toHaveLength(size - rank);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let kernel = 0;
        for (let k = 0; k < params; k++) kernel += (jacobian[i * params + k]! * jacobian[j * params + k]!) / examples;
        let rebuilt = 0;
        for (let k = 0; k < rank; k++) rebuilt += modes[i * rank + k]! * eigenvalues[k]! * modes[j * rank + k]!;
        expect(Math.abs(rebuilt - kernel)).toBeLessThan(1e-12 * trace);
      }
    }
  });

  test("tolerates single-precision asymmetry and negative round-off", () => {
    const ntk = [2, 1 + 1e-7, 1, 0.5 - 1e-8];
    expect(linearSystem({ ntk, examples: 2 }).rank).toBe(1);
  });

  test.each<[string, LinearSystemInput, string]>([
    [
      "a kernel that is not square",
      { ntk: [1, 2, 3], examples: 2 },
      "linearSystem: ntk: expected size × size = 2 × 2 = 4 numbers, got 3.",
    ],
    [
      "an asymmetric kernel",
      { ntk: [1, 0.5, 0.4, 1], examples: 2 },
      "expected a symmetric matrix, got 0.4 at row 1, column 0 and 0.5 at row 0, column 1.",
    ],
    ["a NaN", { ntk: [1, NaN, 0, 1], examples: 2 }, "linearSystem: ntk[1]: expected a finite number, got NaN."],
    [
      "a negative eigenvalue",
      { ntk: [1, 2, 2, 1], examples: 2 },
      "expected a positive semidefinite matrix, got an eigenvalue of -",
    ],
    [
      "a negative kernel",
      { ntk: [-1], examples: 1 },
      "expected a positive semidefinite matrix, got an eigenvalue of -",
    ],
    [
      "a Jacobian with an unfinished row",
      { jacobian: [1, 2, 3], examples: 2 },
      "linearSystem: jacobian: expected rows × params = 2 × 1 = 2 numbers, got 3.",
    ],
    [
      "an empty Jacobian",
      { jacobian: [], examples: 2 },
      "jacobian: expected rows × params = 2 × 1 = 2 numbers, got 0.",
    ],
    [
      "no examples",
      { jacobian: [1], examples: 0 },
      "linearSystem: examples: expected an integer of at least 1, got 0.",
    ],
  ])("refuses %s", (_, input, message) => {
    expect(() => linearSystem(input)).toThrow(RangeError);
    expect(() => linearSystem(input)).toThrow(message);
  });

  test("wants one of jacobian and ntk, and numbers in it", () => {
    expect(() => linearSystem({ examples: 1 })).toThrow("jacobian: expected an array of numbers, got undefined.");
    expect(() => linearSystem({ examples: 1, jacobian: [1], ntk: [1] })).toThrow("got both");
    const text = ["1"] as unknown as number[];
    expect(() => linearSystem({ examples: 1, jacobian: text })).toThrow(
      'jacobian[0]: expected a finite number, got "1".',
    );
  });
});
