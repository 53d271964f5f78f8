import type { Builder, Dim, Value } from "@sedge/autodiff";
import { normsFromOverlaps, slicesFor } from "../cost.js";
import { positionsFirst, type ParamJacobian, type ProductPart, type Rows } from "../jacobian.js";
import { slicedSum } from "./direct.js";
import { gradientRows, gradients } from "./gradients.js";
import { inverseOf, sizeOfPart } from "./parts.js";
import { singlePosition } from "./overlaps.js";

/**
 * ‖J[s, i] D^{-1/2}‖² of one parameter, [S, n]. Of a layer with one position the gradient is an outer product, whose norm is
 * the product of norms; with few positions beside the widths its norm follows from their overlaps,
 * Σ_{t,t'} (u_t·u_t')(d_t·d_t'); else the gradients are formed, at most `bytes` at a time.
 */
export function squaredNorms(b: Builder, jacobian: ParamJacobian, examples: number, bytes: number): Value {
  const { parts, root } = jacobian;
  const [part] = parts;
  if (parts.length === 1 && part!.kind === "product" && part!.groups === 1) {
    if (part!.positions === 1) return outerNorms(b, jacobian, part!);
    if (root === null && normsFromOverlaps(sizeOfPart(part!))) return overlapNorms(b, part!);
  }
  const rows = gradientRows(jacobian);
  const directions = (part!.kind === "array" ? part!.value : part!.moving.value).shape[0] as number;
  const slices = slicesFor(rows, (4 * examples * directions * jacobian.size) / rows, bytes);
  if (slices === 1) return rowSquares(b, gradients(b, jacobian, null), rows);
  return slicedSum(b, slices, (index) => rowSquares(b, gradients(b, jacobian, { index, of: slices }), rows / slices));
}

/** Σ x² over the last axis in two stages, row sums first: one long float32 sum would lose digits. */
function rowSquares(b: Builder, value: Value, rows: number): Value {
  const size = value.shape.at(-1) as number;
  const lead: readonly Dim[] = value.shape.slice(0, -1);
  if (rows === 1 || size % rows !== 0) return b.reduceSumSquare(value, [-1]);
  return b.reduceSum(b.reduceSumSquare(b.reshape(value, [...lead, rows, size / rows]), [-1]), [-1]);
}

function outerNorms(b: Builder, jacobian: ParamJacobian, part: ProductPart): Value {
  const d = singlePosition(b, part.moving);
  if (part.fixed.kind === "one-hot") return b.reduceSumSquare(d, [-1]);
  const u = singlePosition(b, part.fixed);
  if (jacobian.root === null) return b.mul(b.reduceSumSquare(d, [-1]), b.reduceSumSquare(u, [-1]));
  const weights = b.matMul(b.mul(u, u), inverseOf(b, jacobian, part)); // [n, b]
  return b.reduceSum(b.mul(b.mul(d, d), weights), [-1]);
}

function overlapNorms(b: Builder, { fixed, moving }: ProductPart): Value {
  const d = positionsFirst(b, moving); // [S, n, 1, T, d]
  const own = b.matMul(d, b.transposeLast(d));
  const product = b.mul(own, fixedOverlaps(b, fixed, d));
  return b.reduceSum(b.reduceSum(product, [-1]), [-1, -2]);
}

/** u_t·u_t' within each example, [n, 1, T, T]. */
function fixedOverlaps(b: Builder, fixed: Rows | ProductPart["fixed"], like: Value): Value {
  if (fixed.kind === "rows") {
    const u = positionsFirst(b, fixed);
    return b.matMul(u, b.transposeLast(u));
  }
  const isSame = b.equal(b.unsqueeze(fixed.indices, [2]), b.unsqueeze(fixed.indices, [1]));
  return b.unsqueeze(b.cast(isSame, like.type), [1]);
}
