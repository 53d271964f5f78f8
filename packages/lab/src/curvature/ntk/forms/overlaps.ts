import type { Builder, Value } from "@sedge/autodiff";
import { positionsFirst, type OneHot, type ProductPart, type Rows } from "../jacobian.js";

/**
 * J Jᵀ of a layer with one position for each example, [S, S', n, m]: with fixed factors u, v and moving factors d, e
 *
 *     J J'ᵀ[s, i, s', j] = (u_i·v_j)(d_{s,i}·e_{s',j})
 *
 * A layer's bias has the same d and 1 in place of u·v, so `count` of them are added for next to nothing.
 */
export function overlaps(b: Builder, left: ProductPart, right: ProductPart, biases: number): Value {
  const fixed = fixedOverlaps(b, left.fixed, right.fixed, left.moving.value);
  return b.mul(
    movingOverlaps(b, singlePosition(b, left.moving), singlePosition(b, right.moving)),
    biases > 0 ? b.add(fixed, biases) : fixed,
  );
}

/** d·e for all pairs: [S, S', n, m] from [S, n, P] and [S', m, P]. Directions before examples, so that fixed factors broadcast. */
export const movingOverlaps = (b: Builder, left: Value, right: Value): Value =>
  b.matMul(b.unsqueeze(left, [1]), b.unsqueeze(b.transposeLast(right), [0]));

/** […, n, 1, 1, width] as […, n, width]. */
export function singlePosition(b: Builder, rows: Rows): Value {
  const value = positionsFirst(b, rows);
  return b.reshape(value, [...value.shape.slice(0, -3), rows.width]);
}

/** u·v, [n, m]; of one-hot rows, whether they are the same. */
function fixedOverlaps(b: Builder, left: Rows | OneHot, right: Rows | OneHot, like: Value): Value {
  if (left.kind === "one-hot") {
    return b.cast(b.equal(left.indices, b.transposeLast((right as OneHot).indices)), like.type);
  }
  return b.matMul(singlePosition(b, left), b.transposeLast(singlePosition(b, right as Rows)));
}
