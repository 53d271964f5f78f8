/** Per-example gradients themselves, whole or a slice of their rows at a time. */
import type { Builder, Value } from "@sedge/autodiff";
import {
  oneHotRows,
  positionsFirst,
  widthFirst,
  type JacobianPart,
  type ParamJacobian,
  type ProductPart,
} from "../jacobian.js";

/** Which of how many slices of the rows of the gradient matrix; `null` for all of them. */
export type Slice = { readonly index: Value; readonly of: number } | null;

/** The rows of the gradient matrix of a parameter, in each group: what slices are cut from. 1 for one that is no matrix. */
export function gradientRows({ parts }: ParamJacobian): number {
  const product = parts.find((part) => part.kind === "product");
  if (product === undefined) return 1;
  return product.movingFirst ? product.moving.width : product.fixed.width;
}

/** J, the sum over the uses of a parameter, times D^{-1/2} where there is a preconditioner: [S, n, P / slices]. */
export function gradients(b: Builder, jacobian: ParamJacobian, slice: Slice): Value {
  const groups = Math.max(...jacobian.parts.map((part) => (part.kind === "product" ? part.groups : 1)));
  const rows = gradientRows(jacobian);
  const values = jacobian.parts.map((part) =>
    part.kind === "product" ? productGradient(b, part, slice) : slicedArray(b, part, slice, groups),
  );
  const sum = values.reduce((left, right) => b.add(left, right));
  if (jacobian.root === null) return sum;
  return b.mul(sum, slice === null ? jacobian.root : slicedRoot(b, jacobian.root, slice, groups, rows));
}

/** Σ over positions of fixed ⊗ moving, or the other way round: [S, n, groups·rows·columns / slices]. */
export function productGradient(b: Builder, part: ProductPart, slice: Slice): Value {
  const { moving, fixed, movingFirst, groups } = part;
  const first = movingFirst ? slicedRows(b, widthFirst(b, moving), moving.width, slice) : slicedFixed(b, part, slice);
  const second = movingFirst ? fixedRows(b, part) : positionsFirst(b, moving);
  const product = b.matMul(first, second);
  const rows = (movingFirst ? moving.width : fixed.width) / (slice?.of ?? 1);
  const columns = movingFirst ? fixed.width : moving.width;
  return b.reshape(product, [...moving.value.shape.slice(0, -3), groups * rows * columns]);
}

/** […, rows, positions] cut to a slice of its rows. */
function slicedRows(b: Builder, value: Value, rows: number, slice: Slice): Value {
  if (slice === null) return value;
  const lead = value.shape.slice(0, -2);
  const apart = b.reshape(value, [...lead, slice.of, rows / slice.of, value.shape.at(-1)!]);
  return b.gather(apart, slice.index, lead.length);
}

function slicedFixed(b: Builder, { fixed, moving }: ProductPart, slice: Slice): Value {
  if (fixed.kind === "rows") return slicedRows(b, widthFirst(b, fixed), fixed.width, slice);
  const count = fixed.width / (slice?.of ?? 1);
  const first = slice === null ? 0 : b.mul(slice.index, count);
  return b.transposeLast(oneHotRows(b, fixed, first, count, moving.value));
}

const fixedRows = (b: Builder, { fixed, moving }: ProductPart): Value =>
  fixed.kind === "rows" ? positionsFirst(b, fixed) : oneHotRows(b, fixed, 0, fixed.width, moving.value);

function slicedArray(
  b: Builder,
  { value }: Extract<JacobianPart, { kind: "array" }>,
  slice: Slice,
  groups: number,
): Value {
  if (slice === null) return value;
  const size = value.shape.at(-1) as number;
  const lead = value.shape.slice(0, -1);
  const apart = b.reshape(value, [...lead, groups, slice.of, size / groups / slice.of]);
  return b.reshape(b.gather(apart, slice.index, lead.length + 1), [...lead, size / slice.of]);
}

function slicedRoot(b: Builder, root: Value, { index, of }: Exclude<Slice, null>, groups: number, rows: number): Value {
  const size = root.shape[0] as number;
  const apart = b.reshape(root, [groups, of, (rows / of) * (size / groups / rows)]);
  return b.reshape(b.gather(apart, index, 1), [size / of]);
}
