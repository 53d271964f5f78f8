import type { Random } from "@sedge/linalg";
import { sizeOf } from "./model.js";

/** How a parameter starts: every number the same, or independent normals of a standard deviation. */
export type Initial = { readonly constant: number } | { readonly deviation: number };

/** Values of a shape, row-major, rounded to float32. Nothing is drawn for a constant. */
export function draw(random: Random, shape: readonly number[], initial: Initial): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if ("constant" in initial) return values.fill(initial.constant);
  for (let i = 0; i < values.length; i++) values[i] = initial.deviation * random.normal();
  return values;
}
