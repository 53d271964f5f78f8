import { byPosition } from "../arrangement.js";
import type { LayerRule, UseOf } from "./rule.js";

/** y = x·W over any number of positions (tokens): the gradient is Σ_t x_t ⊗ d_t, transposed where W is stored so. */
export const dense: LayerRule<UseOf<"dense">> = {
  fixed(b, { input, place }, side) {
    const value = b.unsqueeze(byPosition(b, side.of(input), place, side.examples), [1]);
    const [, , positions, width] = value.shape as [unknown, unknown, number, number];
    return { kind: "product", factor: { kind: "rows", value, positionsLast: false, width }, groups: 1, positions };
  },
  moving: (b, { place }, side, cotangent) => b.unsqueeze(byPosition(b, cotangent, place, side.examples), [1]),
  positionsLast: false,
  movingFirst: ({ transposed }) => transposed,
};
