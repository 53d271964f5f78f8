import fc from "fast-check";
import { expect, test } from "vitest";
import { secularRoot } from "./secular.js";

const anyEquation = fc.record({
  // Gaps over many decades: poles that nearly coincide are the hard case.
  gaps: fc.array(
    fc.integer({ min: -40, max: 0 }).map((power) => 2 ** power),
    { minLength: 1, maxLength: 12 },
  ),
  weights: fc.array(
    fc.integer({ min: -30, max: 0 }).map((power) => 2 ** power),
    { minLength: 12, maxLength: 12 },
  ),
  rho: fc.double({ min: 1e-3, max: 10, noNaN: true }),
});

test("each root lies between its poles, and the function changes sign at it", () => {
  fc.assert(
    fc.property(anyEquation, ({ gaps, weights, rho }) => {
      let sum = 0;
      const poles = Float64Array.from(gaps, (gap) => (sum += gap));
      const count = poles.length;
      const squares = Float64Array.from(weights.slice(0, count));
      for (let index = 0; index < count; index++) {
        const { origin, distance } = secularRoot(poles, squares, count, rho, index);
        // Differences of poles are exact here, all being multiples of 2⁻⁴⁰ below 2⁴.
        const from = (i: number): number => poles[i]! - poles[origin]!;
        expect(distance).toBeGreaterThan(from(index));
        if (index < count - 1) expect(distance).toBeLessThan(from(index + 1));
        const value = (at: number): number => squares.reduce((total, z, i) => total + z / (from(i) - at), 1 / rho);
        // Within 1e-12 of its distance from the nearest pole there is a zero: the sum rises through the root.
        expect(value(distance - 1e-12 * Math.abs(distance))).toBeLessThanOrEqual(0);
        expect(value(distance + 1e-12 * Math.abs(distance))).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
