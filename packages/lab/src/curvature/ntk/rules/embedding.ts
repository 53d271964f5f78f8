import { byPosition, product } from "../arrangement.js";
import type { LayerRule, UseOf } from "./rule.js";

/** y_t = W[index_t]: the gradient is Σ_t e(index_t) ⊗ d_t, e the one-hot vectors. */
export const embedding: LayerRule<UseOf<"embedding">> = {
  fixed(b, { indices, place, shape }, side) {
    const placed = byPosition(b, b.unsqueeze(side.of(indices), [indices.shape.length]), place, side.examples);
    // ONNX counts negative indices from the back.
    const rows = product(shape.slice(0, 1));
    const flat = b.cast(b.squeeze(placed, [2]), "int64");
    const counted = b.where(b.less(flat, 0), b.add(flat, rows), flat);
    const positions = flat.shape[1] as number;
    return { kind: "product", factor: { kind: "one-hot", indices: counted, width: rows }, groups: 1, positions };
  },
  moving(b, { indices, place, shape }, side, cotangent) {
    const rank = indices.shape.length;
    const value = byPosition(b, cotangent, place, side.examples, rank);
    return b.reshape(value, [side.examples, 1, value.shape[1]!, product(shape.slice(1))]);
  },
  positionsLast: false,
  movingFirst: () => false,
};
