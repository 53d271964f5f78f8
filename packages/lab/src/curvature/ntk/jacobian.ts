/** What the layer rules make of a parameter's uses, and what the NTK and the norms are then computed from. */
import type { Builder, Value } from "@sedge/autodiff";

/** One matrix for each example (and direction), stored with the positions before the width or after it. */
export interface Rows {
  readonly kind: "rows";
  /** […, n, groups, positions, width], or with the last two swapped. */
  readonly value: Value;
  readonly positionsLast: boolean;
  /** In each group. */
  readonly width: number;
}

/** Rows with a single 1, at these places: what an embedding's table is multiplied with. */
export interface OneHot {
  readonly kind: "one-hot";
  /** int64 [n, positions]. */
  readonly indices: Value;
  /** Of the table. */
  readonly width: number;
}

/** What of one use is the same for every direction, in values outside the loop over directions. */
export type Fixed =
  | { readonly kind: "product"; readonly factor: Rows | OneHot; readonly groups: number; readonly positions: number }
  | { readonly kind: "array" };

/**
 * One use's part of a parameter's Jacobian, for every direction s and example i:
 * - array    J[s, i] itself, [S, n, P];
 * - product  J[s, i] = Σ over positions of fixed[i] ⊗ moving[s, i] in each group, or moving ⊗ fixed where `movingFirst`.
 */
export type JacobianPart =
  | { readonly kind: "array"; readonly value: Value }
  | {
      readonly kind: "product";
      readonly fixed: Rows | OneHot;
      readonly moving: Rows;
      readonly movingFirst: boolean;
      readonly groups: number;
      readonly positions: number;
    };

export type ProductPart = Extract<JacobianPart, { kind: "product" }>;

/** A parameter's Jacobian on one side: the sum of the parts of its uses. */
export interface ParamJacobian {
  readonly param: string;
  /** P. */
  readonly size: number;
  readonly parts: readonly JacobianPart[];
  /** D^{-1/2} of the preconditioner in the order in which the parts lay out the elements, [P]; null for none. */
  readonly root: Value | null;
}

/** […, positions, width]. */
export const positionsFirst = (b: Builder, { value, positionsLast }: Rows): Value =>
  positionsLast ? b.transposeLast(value) : value;

/** […, width, positions]. */
export const widthFirst = (b: Builder, { value, positionsLast }: Rows): Value =>
  positionsLast ? value : b.transposeLast(value);

/** Rows of a matrix of one-hot rows, [n, 1, positions, width], from `first` on: of a table, `count` rows. */
export function oneHotRows(b: Builder, { indices }: OneHot, first: Value | number, count: number, like: Value): Value {
  const places = b.constant(
    Array.from({ length: count }, (_, k) => k),
    { type: "int64" },
  );
  const wanted = b.add(places, first);
  return b.unsqueeze(b.cast(b.equal(b.unsqueeze(indices, [2]), wanted), like.type), [1]);
}
