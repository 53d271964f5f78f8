import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addDims,
  atomsOf,
  divideDims,
  exactQuotient,
  multiplyDims,
  sizeOf,
  subtractDims,
  surelyDiffer,
  termsOf,
  type Dim,
} from "./dims.js";

/** Polynomials in n and m, with a way to evaluate them. */
const dim: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom("n", "m"),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => multiplyDims(a, b)),
  ),
})).dim;

const evaluate = (value: Dim, sizes: Record<string, number>): number =>
  termsOf(value).reduce(
    (sum, { coefficient, atoms }) => sum + atoms.reduce((product, atom) => product * sizes[atom]!, coefficient),
    0,
  );

const sizes = fc.record({ n: fc.integer({ min: 0, max: 7 }), m: fc.integer({ min: 0, max: 7 }) });

test("sums, differences and products agree with those of numbers", () => {
  fc.assert(
    fc.property(dim, dim, sizes, (a, b, at) => {
      expect(evaluate(addDims(a, b), at)).toBe(evaluate(a, at) + evaluate(b, at));
      expect(evaluate(subtractDims(a, b), at)).toBe(evaluate(a, at) - evaluate(b, at));
      expect(evaluate(multiplyDims(a, b), at)).toBe(evaluate(a, at) * evaluate(b, at));
    }),
  );
});

test("equal dimensions are equal strings, in whatever order they were made", () => {
  fc.assert(
    fc.property(dim, dim, dim, (a, b, c) => {
      expect(addDims(a, addDims(b, c))).toBe(addDims(addDims(c, a), b));
      expect(multiplyDims(a, addDims(b, c))).toBe(addDims(multiplyDims(c, a), multiplyDims(b, a)));
      expect(subtractDims(addDims(a, b), b)).toBe(a);
    }),
  );
});

test("what surely differs does, for all sizes", () => {
  fc.assert(
    fc.property(dim, dim, sizes, (a, b, at) => {
      fc.pre(surelyDiffer(a, b));
      expect(evaluate(a, at)).not.toBe(evaluate(b, at));
    }),
  );
});

test("division is exact where it can be, and otherwise a name of its own", () => {
  expect(exactQuotient("10*batch", "batch")).toBe(10);
  expect(exactQuotient("10*batch+5", 5)).toBe("2*batch+1");
  expect(exactQuotient("batch", 2)).toBeNull();
  expect(divideDims("4*batch", 2)).toBe("2*batch");
  expect(divideDims(7, 2)).toBe(3);
  const half = divideDims("batch+1", 2);
  expect(divideDims("batch+1", 2)).toBe(half);
  expect(atomsOf(half)).toEqual([half]);
  expect(subtractDims(multiplyDims(half, 2), multiplyDims(2, half))).toBe(0);
});

test("the number of elements of a shape", () => {
  expect(sizeOf([])).toBe(1);
  expect(sizeOf(["n", 3, "m"])).toBe("3*m*n");
});
