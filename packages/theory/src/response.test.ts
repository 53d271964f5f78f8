import fc from "fast-check";
import { expect, test } from "vitest";
import { expectRelative } from "./fixtures/support.js";
import { modeRadius, pairResponse } from "./response.js";

const base = { batchSize: 1, kappa: 1, c: 1, nesterov: false };

// G at ρ is what noise η²cλ_μλ_ν each step leaves when it grows by ρ a step: Σ_t χ_μ(t)χ_ν(t) ρ^(−t−1) with χ the two modes' answers to
// a kick, summed here term by term; with Nesterov's momentum what the gradients see of it, ω = (1+m)χ − mχ₋.
test.each([false, true])(
  "pairResponse is the sum of what kicks leave, at any growth above the mean's: nesterov %s",
  (nesterov) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1.9, noNaN: true }),
        fc.double({ min: 0.01, max: 1.9, noNaN: true }),
        fc.constantFrom(0, 0.3, 0.9),
        fc.constantFrom(0, 0.1),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        (lambda, other, momentum, weightDecay, above) => {
          const learningRate = nesterov ? 0.9 / (1 + 2 * momentum) : 0.9;
          const dynamics = { ...base, learningRate, momentum, nesterov, weightDecay };
          const radius = Math.max(modeRadius(lambda, dynamics), modeRadius(other, dynamics));
          for (const rho of radius < 1 ? [1, radius ** 2 + above * (1 - radius ** 2)] : [radius ** 2 * (1 + above)]) {
            let [x, xBefore, y, yBefore] = [1, 0, 1, 0];
            const [p, q] = [learningRate * (lambda + weightDecay), learningRate * (other + weightDecay)];
            const steps = [p, q].map((x) =>
              nesterov ? [(1 + momentum) * (1 - x), momentum * (1 - x)] : [1 + momentum - x, momentum],
            );
            const [[gainX, lagX], [gainY, lagY]] = steps as [[number, number], [number, number]];
            const ahead = nesterov ? momentum : 0;
            let sum = 0;
            for (let t = 0, scale = 1 / rho; t < 40_000 && scale < 1e280; t++, scale /= rho) {
              sum += (x + ahead * (x - xBefore)) * (y + ahead * (y - yBefore)) * scale;
              [x, xBefore] = [gainX * x - lagX * xBefore, x];
              [y, yBefore] = [gainY * y - lagY * yBefore, y];
            }
            // Alternating sums lose digits against their largest term, which is of order 1/(1−m)².
            const value = pairResponse(lambda, other, dynamics, rho - 1) / (learningRate ** 2 * lambda * other);
            expect(Math.abs(value - sum)).toBeLessThan(1e-9 * Math.max(1, Math.abs(sum)) + 1e-9 / (1 - momentum) ** 2);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

test("small modes keep every digit", () => {
  // m = δ = 0, κ = 1: ηc λ²/(2λ − ηλ²) = ηcλ/(2 − ηλ); with ηλ = 1e-12 the naive 1 − (1−p)² has four digits left.
  const dynamics = { ...base, learningRate: 1, momentum: 0, weightDecay: 0 };
  expectRelative(pairResponse(1e-12, 1e-12, dynamics), 1e-12 / (2 - 1e-12), 1e-15);
  // With either momentum a small mode's response is ηcλ/(2(1−m)), up to a relative ηλ/(1−m)².
  for (const nesterov of [false, true])
    expectRelative(pairResponse(1e-14, 1e-14, { ...dynamics, momentum: 0.9, nesterov }), 5e-14, 1e-11);
});
