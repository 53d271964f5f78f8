/** A kernel of one side with itself: only the half that its symmetry does not give is computed, in groups of examples. */
import type { Builder, Value } from "@sedge/autodiff";
import type { OneHot, ProductPart, Rows } from "../jacobian.js";

/** In how many groups: of g, (g + 1)/2g of the pairs are computed. */
const groups = 4;

/**
 * [S, S', n, n] with the pairs (i, j) of which j is in a later group than i, or in the same; the others are 0.
 *
 * @param examples  n, about.
 * @param rows  [S, S', own, those from `start` on] for the examples from `start` to `end`.
 */
export function upperHalf(b: Builder, examples: number, rows: (start: number, end: number | null) => Value): Value {
  const ends = Array.from({ length: groups }, (_, g) => Math.floor(((g + 1) * examples) / groups));
  const blocks = ends.map((end, g) => {
    const start = g === 0 ? 0 : ends[g - 1]!;
    const block = rows(start, g === groups - 1 ? null : end);
    if (start === 0) return block;
    return b.node("Pad", [block, b.integers([0, 0, 0, start, 0, 0, 0, 0]), b.constant(0, { type: block.type })]);
  });
  return b.concat(blocks, 2);
}

/** The examples from `start` to `end` of a part of a Jacobian. */
export function examplesOf(b: Builder, part: ProductPart, start: number, end: number | null): ProductPart {
  return { ...part, fixed: fixedOf(b, part.fixed, start, end), moving: rowsOf(b, part.moving, 1, start, end) };
}

const fixedOf = (b: Builder, fixed: Rows | OneHot, start: number, end: number | null): Rows | OneHot =>
  fixed.kind === "rows"
    ? rowsOf(b, fixed, 0, start, end)
    : { ...fixed, indices: b.slice(fixed.indices, 0, start, end ?? undefined) };

const rowsOf = (b: Builder, rows: Rows, axis: number, start: number, end: number | null): Rows => ({
  ...rows,
  value: b.slice(rows.value, axis, start, end ?? undefined),
});
