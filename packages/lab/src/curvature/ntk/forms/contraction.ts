import type { Builder, Value } from "@sedge/autodiff";
import { positionsFirst, type OneHot, type ProductPart, type Rows } from "../jacobian.js";

/**
 * J Jᵀ of a layer over several positions, [S, S', n, m], without any gradient: with fixed factors u, v and moving factors
 * d, e, one example i of the left side at a time,
 *
 *     J J'ᵀ[s, i, s', j] = Σ_{t'} (Σ_t (v_{j,t'}·u_{i,t}) d_{s,i,t}) · e_{s',j,t'}
 *
 * Cheaper than the gradients where there are few positions beside the widths: tokens, and images late in a network.
 */
export function contraction(b: Builder, left: ProductPart, right: ProductPart): Value {
  const [directions, examples] = left.moving.value.shape as readonly [number, Value["shape"][number]];
  const [others, otherExamples] = right.moving.value.shape as readonly [number, Value["shape"][number]];
  const moving = ungrouped(b, positionsFirst(b, left.moving)); // [S, n, T, d]
  const e = ungrouped(b, positionsFirst(b, right.moving));
  const long = right.positions * right.moving.width;
  // [m, T'·d, S']
  const targets = b.transpose(b.reshape(e, [others, otherExamples, long]), [1, 2, 0]);
  const { scan } = b.loop({
    steps: b.squeeze(b.dimension(examples), [0]),
    state: {},
    body: ({ step }) => {
      const seen = b.unsqueeze(fixedOverlaps(b, left, right, step), [1]); // [m, 1, T', T]
      const carried = b.matMul(seen, b.unsqueeze(b.gather(moving, step, 1), [0])); // [m, S, T', d]
      const rows = b.reshape(carried, [otherExamples, directions, long]);
      return { state: {}, scan: { products: b.matMul(rows, targets) } }; // [m, S, S']
    },
  });
  return b.transpose(b.reshape(scan.products, [examples, otherExamples, directions, others]), [2, 3, 0, 1]);
}

/** v_{j,t'}·u_{i,t} for one example i, [m, T', T]. */
function fixedOverlaps(b: Builder, left: ProductPart, right: ProductPart, i: Value): Value {
  if (left.fixed.kind === "one-hot") {
    const own = b.gather(left.fixed.indices, i, 0); // [T]
    const isSame = b.equal(b.unsqueeze((right.fixed as OneHot).indices, [2]), own);
    return b.cast(isSame, left.moving.value.type);
  }
  const own = b.gather(ungrouped(b, positionsFirst(b, left.fixed)), i, 0); // [T, a]
  const others = ungrouped(b, positionsFirst(b, right.fixed as Rows)); // [m, T', a]
  const flat = b.gemm(b.reshape(others, [-1, left.fixed.width]), own, null, { transB: 1 });
  return b.reshape(flat, [others.shape[0]!, right.positions, left.positions]);
}

/** Without the axis of groups, of which there is one. */
const ungrouped = (b: Builder, value: Value): Value => b.squeeze(value, [value.shape.length - 3]);
