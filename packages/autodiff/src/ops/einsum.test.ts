import { expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { checkOp } from "../testing/check-op.js";

test.each([
  [
    "ij,jk->ik",
    [
      [2, 3],
      [3, 4],
    ],
  ],
  [
    "bihd,bjhd->bhij",
    [
      [2, 3, 2, 4],
      [2, 5, 2, 4],
    ],
  ],
  [
    "...ij,...jk->...ik",
    [
      [2, 2, 3],
      [2, 3, 4],
    ],
  ],
  [
    "...ij,jk",
    [
      [2, 2, 3],
      [3, 4],
    ],
  ],
  ["ij->ji", [[2, 3]]],
  ["ij->i", [[2, 3]]],
  [
    "ij,ij->",
    [
      [2, 3],
      [2, 3],
    ],
  ],
  ["i,j,k->ijk", [[2], [3], [4]]],
  ["ni,i,io->no", [[4, 3], [3], [3, 2]]],
  [
    "ba,ac",
    [
      [2, 3],
      [3, 4],
    ],
  ],
])("Einsum %s", (equation, shapes) =>
  checkOp({ build: (g, xs) => g.einsum(equation, ...xs), inputs: shapes.map((shape) => ({ shape })) }),
);

test("Einsum with a symbolic batch", () =>
  checkOp({
    build: (g, [x, w]) => g.einsum("bij,jk->bik", x!, w!),
    inputs: [{ shape: [2, 3, 4], declared: ["batch", 3, 4] }, { shape: [4, 2] }],
  }));

test("Einsum of a trace is computed, and refused where it is differentiated", () => {
  const g = new Builder();
  const x = g.input("x", [3, 3]);
  const trace = g.einsum("ii->", x);
  expect(trace.shape).toEqual([]);
  expect(() => g.gradient(trace, [x])).toThrow("expected no axis twice in one operand where it is differentiated");
});

test("Einsum refuses sizes and operands that do not fit", () => {
  const g = new Builder();
  const [a, b] = [g.input("a", [2, 3]), g.input("b", [4, 2])];
  expect(() => g.einsum("ij,jk->ik", a, b)).toThrow("expected one size for axis j, found 3 and 4");
  expect(() => g.einsum("ij,jk->ik", a)).toThrow('expected 2 operands for "ij,jk->ik"');
  expect(() => g.einsum("ij->iz", a)).toThrow("expected axis z of the result in an operand");
});
