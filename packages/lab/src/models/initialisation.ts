import type { Random } from "@sedge/linalg";
import { sizeOf } from "./model.js";

/**
 * LeCun normal: independent N(0, 1/fan-in), rounded to float32. Fan-in is every axis but the last.
 *
 * @param shape  `[in, out]`, or any shape whose last axis is the output's.
 */
export function normalWeights(random: Random, shape: readonly number[]): Float32Array {
  const deviation = 1 / Math.sqrt(sizeOf(shape.slice(0, -1)));
  const weights = new Float32Array(sizeOf(shape));
  for (let i = 0; i < weights.length; i++) weights[i] = deviation * random.normal();
  return weights;
}
