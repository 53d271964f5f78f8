import { summedTo } from "../arrangement.js";
import type { LayerRule, UseOf } from "./rule.js";

/** y = … + b, b repeated along any axes: the gradient is d summed over them. Shifts of normalisations are such biases. */
export const bias: LayerRule<UseOf<"bias">> = {
  fixed: () => ({ kind: "array" }),
  moving: (b, { shape, place }, side, cotangent) => summedTo(b, cotangent, shape, place, side.examples),
  positionsLast: false,
  movingFirst: () => false,
};
