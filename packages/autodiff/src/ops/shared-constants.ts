/** Large constants that depend on a geometry alone. */
import type { Tensor } from "../ir/tensor.js";

const tensors = new Map<string, Tensor>();

/** The tensor of this key, made once: equal nodes are joined only where their large constants are the same object. */
export function once(key: string, make: () => Tensor): Tensor {
  const found = tensors.get(key) ?? make();
  tensors.set(key, found);
  return found;
}
