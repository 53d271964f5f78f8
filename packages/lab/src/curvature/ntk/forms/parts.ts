import type { Builder, Value } from "@sedge/autodiff";
import type { PartSize } from "../cost.js";
import type { ParamJacobian, ProductPart } from "../jacobian.js";

/** What the choice of a form depends on. */
export const sizeOfPart = ({ fixed, moving, groups, positions }: ProductPart): PartSize => ({
  positions,
  groups,
  fixed: fixed.width,
  moving: moving.width,
  isOneHot: fixed.kind === "one-hot",
});

/** 1/D as [fixed, moving]. */
export function inverseOf(b: Builder, { root }: ParamJacobian, { fixed, moving, movingFirst }: ProductPart): Value {
  const [rows, columns] = movingFirst ? [moving.width, fixed.width] : [fixed.width, moving.width];
  const matrix = b.reshape(b.mul(root!, root!), [rows, columns]);
  return movingFirst ? b.transposeLast(matrix) : matrix;
}
