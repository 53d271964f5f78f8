import { summedTo } from "../arrangement.js";
import type { LayerRule, UseOf } from "./rule.js";

/** y = g ∘ x (+ …), g repeated along any axes: the gradient is x ∘ d summed over them. x of a normalisation is the normal. */
export const scale: LayerRule<UseOf<"scale">> = {
  fixed: () => ({ kind: "array" }),
  moving: (b, { input, shape, place }, side, cotangent) =>
    summedTo(b, b.mul(side.of(input), cotangent), shape, place, side.examples),
  positionsLast: false,
  movingFirst: () => false,
};
