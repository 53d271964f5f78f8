import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { samplings } from "../sampling.js";
import { batches } from "./batches.js";

describe("batches", () => {
  test.each(samplings)("what is drawn does not depend on how many steps are asked for at a time: %s", (sampling) => {
    const [a, b] = [0, 1].map(() => batches(sampling, 10, 3, createRandom("slices")));
    const whole = a!.draw(30);
    const parts = [7, 1, 22].map((steps) => b!.draw(steps));
    expect(parts.flatMap((part) => [...part.examples])).toEqual([...whole.examples]);
    expect(parts.flatMap((part) => [...part.counts])).toEqual([...whole.counts]);
  });

  // Each example is drawn B/N of the time; a count over 20,000 batches is within five of its binomial standard deviations.
  test.each(samplings)("every example is drawn equally often: %s", (sampling) => {
    const [examples, batchSize, steps] = [9, 4, 20_000];
    const counts = new Float64Array(examples);
    for (const example of batches(sampling, examples, batchSize, createRandom("fair")).draw(steps).examples)
      counts[example]!++;
    const share = batchSize / examples;
    for (const count of counts) expect(Math.abs(count / steps - share)).toBeLessThan(5 * Math.sqrt(0.25 / steps));
  });

  // Of the 10 pairs out of 5 each comes up a tenth of the time: χ² with 9 degrees of freedom exceeds 33.7 once in 10⁴.
  test("without replacement every subset is as likely", () => {
    const tally = new Map<string, number>();
    const { examples } = batches("without-replacement", 5, 2, createRandom("subsets")).draw(10_000);
    for (let k = 0; k < examples.length; k += 2) {
      expect(examples[k]).not.toBe(examples[k + 1]);
      const key = [examples[k]!, examples[k + 1]!].sort().join();
      tally.set(key, (tally.get(key) ?? 0) + 1);
    }
    expect(tally.size).toBe(10);
    expect([...tally.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(33.7);
  });

  test("an epoch has every example once, but for the last N mod B", () => {
    const { examples } = batches("epoch-shuffle", 10, 3, createRandom("epochs")).draw(9);
    for (let epoch = 0; epoch < 3; epoch++) expect(new Set(examples.subarray(9 * epoch, 9 * epoch + 9)).size).toBe(9);
    expect([...examples.subarray(0, 9)]).not.toEqual([...examples.subarray(9, 18)]);
  });
});
