import { describe, expect, test } from "vitest";
import { draws } from "./fixtures/brute-force.js";
import { samplingCoefficients, type Sampling } from "./sampling.js";

describe("samplingCoefficients", () => {
  // E[P M P]/β² by enumeration: off the diagonal E[k_i k_j]/β² = κ, on it E[k_i²]/β² = κ + c. A few hundred sums of O(1).
  test.each<[Sampling, number, number]>([
    ["bernoulli", 4, 1],
    ["bernoulli", 5, 3],
    ["with-replacement", 3, 1],
    ["with-replacement", 3, 4 - 1],
    ["without-replacement", 5, 2],
    ["without-replacement", 4, 4],
    ["without-replacement", 5, 1],
  ])("%s of %i, B = %i, are the moments of the draw counts", (sampling, examples, batchSize) => {
    let diagonal = 0;
    let off = 0;
    for (const [counts, probability] of draws(sampling, examples, batchSize)) {
      diagonal += probability * counts[0]! ** 2;
      off += probability * counts[0]! * counts[1]!;
    }
    const beta = batchSize / examples;
    const { kappa, c } = samplingCoefficients(sampling, examples, batchSize);
    expect(Math.abs(kappa - off / beta ** 2)).toBeLessThan(1e-13);
    expect(Math.abs(kappa + c - diagonal / beta ** 2)).toBeLessThan(1e-13);
  });

  test("the full batch without replacement has κ = 1 and c = 0 exactly, a single example too", () => {
    for (const examples of [1, 3, 7, 1000])
      expect(samplingCoefficients("without-replacement", examples, examples)).toEqual({ kappa: 1, c: 0 });
  });
  test("epoch shuffling counts as sampling without replacement", () => {
    expect(samplingCoefficients("epoch-shuffle", 9, 2)).toEqual(samplingCoefficients("without-replacement", 9, 2));
  });
  test("refuses what is no sampling", () => {
    expect(() => samplingCoefficients("sometimes" as Sampling, 3, 1)).toThrow(
      'samplingCoefficients: sampling: expected one of "without-replacement", "with-replacement", "bernoulli", "epoch-shuffle", got "sometimes".',
    );
    expect(() => samplingCoefficients("bernoulli", 3, 4)).toThrow("batchSize: expected an integer from 1 to 3, got 4.");
  });
});
