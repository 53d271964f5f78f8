/** fast-check arbitraries for shapes. */
import fc from "fast-check";

/** Shapes of the given ranks with axes of 1 to 4. */
export const anyShape = ({ minRank = 0, maxRank = 3 } = {}): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: minRank, maxLength: maxRank });

/** Two shapes that broadcast: axes dropped from the front or set to 1, on either side. */
export const broadcastPair: fc.Arbitrary<[number[], number[]]> = anyShape({ minRank: 1, maxRank: 3 }).chain((shape) => {
  const reduced = fc
    .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
    .map(([drop, ones]) => shape.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(drop));
  return fc
    .tuple(reduced, reduced, fc.integer({ min: 0, max: 2 }))
    .map(([a, b, full]): [number[], number[]] => [full === 1 ? shape : a, full === 2 ? shape : b]);
});

/** A shape and a set of its axes, perhaps empty. */
export const shapeWithAxes: fc.Arbitrary<{ shape: number[]; axes: number[] }> = anyShape({
  minRank: 1,
  maxRank: 4,
}).chain((shape) => fc.subarray(shape.map((_, axis) => axis)).map((axes) => ({ shape, axes })));
