import type { Builder, Value } from "@sedge/autodiff";
import { type ParamJacobian, type ProductPart, type Rows } from "../jacobian.js";
import { singlePosition } from "./overlaps.js";
import { inverseOf } from "./parts.js";

/**
 * J D⁻¹ Jᵀ of a layer with one position for each example, [S, S', n, m], D a number for every entry of the matrix: one
 * example i of the left side at a time,
 *
 *     J D⁻¹ J'ᵀ[s, i, s', j] = Σ_b (Σ_a u_i[a] v_j[a] / D[a, b]) d_{s,i}[b] e_{s',j}[b]
 *
 * which costs n²·in·out, S² times less than the gradients would.
 */
export function weighted(b: Builder, left: ParamJacobian, right: ParamJacobian): Value {
  const [own, other] = [left, right].map(({ parts }) => parts[0] as ProductPart) as [ProductPart, ProductPart];
  const inverse = inverseOf(b, left, own);
  const [directions, examples] = own.moving.value.shape as readonly [number, Value["shape"][number]];
  const [others, otherExamples] = other.moving.value.shape as readonly [number, Value["shape"][number]];
  const u = singlePosition(b, own.fixed as Rows); // [n, a]
  const v = singlePosition(b, other.fixed as Rows); // [m, a]
  const d = singlePosition(b, own.moving); // [S, n, b]
  const e = b.transpose(singlePosition(b, other.moving), [1, 2, 0]); // [m, b, S']
  const { scan } = b.loop({
    steps: b.squeeze(b.dimension(examples), [0]),
    state: {},
    body: ({ step }) => {
      const weights = b.matMul(b.mul(v, b.gather(u, step, 0)), inverse); // [m, b]
      const rows = b.mul(b.unsqueeze(weights, [1]), b.unsqueeze(b.gather(d, step, 1), [0])); // [m, S, b]
      return { state: {}, scan: { products: b.matMul(rows, e) } };
    },
  });
  return b.transpose(b.reshape(scan.products, [examples, otherExamples, directions, others]), [2, 3, 0, 1]);
}
