import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pairResponse } from "./response.js";
import { responseFactors } from "./response-factors.js";

/** Σ_k a_k a_kᵀ at (μ, ν). */
const entry = (factors: readonly Float64Array[], mu: number, nu: number): number =>
  factors.reduce((sum, a) => sum + a[mu]! * a[nu]!, 0);

describe("responseFactors", () => {
  const spectra = fc.array(fc.double({ min: -12, max: 0, noNaN: true }), { minLength: 1, maxLength: 25 });

  test("rebuild G to the error they state, and from below on the diagonal, for every momentum, decay and κ", () => {
    fc.assert(
      fc.property(
        spectra,
        fc.constantFrom(0, 0.3, 0.9, 0.99),
        fc.boolean(),
        fc.constantFrom(0, 0.01, 0.5),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(1e-3, 1e-6, 1e-9),
        (exponents, momentum, nesterov, weightDecay, kappa, accuracy) => {
          const eigenvalues = Float64Array.from(exponents, (x) => Math.exp(x));
          const edge = (2 * (1 + momentum)) / (nesterov ? 1 + 2 * momentum : 1);
          const learningRate = (0.9 * edge) / (1 + weightDecay);
          const dynamics = { learningRate, batchSize: 1, momentum, weightDecay, nesterov, kappa, c: 3 };
          const response = (a: number, b: number) => pairResponse(a, b, dynamics);
          const largest = eigenvalues.reduce((most, a) => Math.max(most, response(a, a)), 0);
          const { factors, error } = responseFactors(eigenvalues, response, accuracy * largest, 25);
          expect(error).toBeLessThanOrEqual(accuracy * largest);
          const rounding = 1e-13 * largest; // 25 terms of at most `largest`
          for (let mu = 0; mu < eigenvalues.length; mu++) {
            for (let nu = 0; nu < eigenvalues.length; nu++) {
              const rest = response(eigenvalues[mu]!, eigenvalues[nu]!) - entry(factors, mu, nu);
              expect(Math.abs(rest)).toBeLessThanOrEqual(error + rounding);
              if (mu === nu) expect(rest).toBeGreaterThanOrEqual(-rounding);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  // The singular values of 1/(x + y) on [a, b] fall at least like 4 exp(−π²k/log(4b/a)) (Beckermann and Townsend 2017). Here
  // b/a = 1.3e4, so that 1e-9 takes k = log(4e9)·log(5.3e4)/π² ≈ 25 terms, or fewer.
  test("a handful suffice: 25 for 400 modes over four decades, to nine digits", () => {
    const eigenvalues = Float64Array.from({ length: 400 }, (_, mu) => 10 ** ((-4 * mu) / 399));
    const response = (a: number, b: number) => (a * b) / (a + b - 0.5 * a * b);
    const { factors, error } = responseFactors(eigenvalues, response, 1e-9, 100);
    expect(error).toBeLessThan(1e-9);
    expect(factors.length).toBeLessThanOrEqual(25);
  });

  test("stop at the most that is allowed, and at nothing for nothing", () => {
    const eigenvalues = Float64Array.of(1, 0.5, 0.1);
    const response = (a: number, b: number) => (a * b) / (a + b);
    expect(responseFactors(eigenvalues, response, 0, 2).factors).toHaveLength(2);
    expect(responseFactors(eigenvalues, response, 0.5, 9)).toEqual({ factors: [], error: 0.5 });
    expect(responseFactors(new Float64Array(0), response, 0, 9)).toEqual({ factors: [], error: 0 });
  });
});
