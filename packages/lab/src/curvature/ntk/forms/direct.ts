import type { Builder, Value } from "@sedge/autodiff";
import type { ParamJacobian } from "../jacobian.js";
import { gradients } from "./gradients.js";
import { upperHalf } from "./symmetric.js";

/**
 * J Jᵀ from the per-example gradients themselves, [S, S', n, m]. They are formed a slice of their rows at a time, and the
 * slices' products added up in float64.
 *
 * Cheapest for convolutions over many positions; and exact for everything else: several uses of one parameter, groups,
 * and any preconditioner.
 *
 * @param halvedFor  n, where left and right are the same and only the upper half is wanted (symmetric.ts).
 */
export function direct(
  b: Builder,
  left: ParamJacobian,
  right: ParamJacobian,
  slices: number,
  halvedFor: number | null = null,
): Value {
  if (halvedFor !== null) return directHalf(b, left, slices, halvedFor);
  const sides = [left, right].map((side) => {
    const [directions, examples] = leadOf(side);
    return { side, directions, examples };
  }) as [Placed, Placed];
  const term = (slice: Parameters<typeof gradients>[2]): Value => {
    const [rows, columns] = sides.map(({ side }) => {
      const value = gradients(b, side, slice);
      return b.reshape(value, [-1, value.shape.at(-1)!]);
    }) as [Value, Value];
    return b.gemm(rows, columns, null, { transB: 1 });
  };
  const flat = slices === 1 ? term(null) : slicedSum(b, slices, (index) => term({ index, of: slices }));
  const [first, second] = sides;
  const apart = b.reshape(flat, [first.directions, first.examples, second.directions, second.examples]);
  return b.transpose(apart, [0, 2, 1, 3]);
}

function directHalf(b: Builder, side: ParamJacobian, slices: number, examples: number): Value {
  const term = (slice: Parameters<typeof gradients>[2]): Value => {
    const value = gradients(b, side, slice); // [S, n, P / slices]
    const [count, , width] = value.shape as readonly [number, unknown, number];
    const flat = (from: number, to: number | null) =>
      b.reshape(b.slice(value, 1, from, to ?? undefined), [count * ((to ?? examples) - from), width]);
    return upperHalf(b, examples, (start, end) => {
      const [own, others] = [(end ?? examples) - start, examples - start];
      const product = b.gemm(flat(start, end), flat(start, null), null, { transB: 1 });
      return b.transpose(b.reshape(product, [count, own, count, others]), [0, 2, 1, 3]);
    });
  };
  return slices === 1 ? term(null) : slicedSum(b, slices, (index) => term({ index, of: slices }));
}

interface Placed {
  readonly side: ParamJacobian;
  readonly directions: number;
  readonly examples: Value["shape"][number];
}

/** S and n of a side. */
function leadOf({ parts }: ParamJacobian): readonly [number, Value["shape"][number]] {
  const [part] = parts;
  const [directions, examples] = (part!.kind === "array" ? part!.value : part!.moving.value).shape;
  return [directions as number, examples!];
}

/** Σ over slices, in float64. */
export function slicedSum(b: Builder, slices: number, term: (index: Value) => Value): Value {
  const start = term(b.constant(0, { type: "int64" }));
  const { state } = b.loop({
    steps: slices - 1,
    state: { sum: b.cast(start, "float64") },
    body: ({ step, state: { sum } }) => ({ state: { sum: b.add(sum, b.cast(term(b.add(step, 1)), "float64")) } }),
  });
  return b.cast(state.sum, start.type);
}
