import { createRandom } from "@sedge/linalg";
import { samplingCoefficients } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { minibatchStream, type MinibatchState, type Sampling } from "./minibatch-stream.js";

const samplings: Sampling[] = ["with-replacement", "without-replacement", "epoch-shuffle"];
const stream = (sampling: Sampling, { examples = 10, batchSize = 3, seed = 7 } = {}) =>
  minibatchStream({ examples, batchSize, sampling, random: createRandom(seed) });

describe.each(samplings)("%s", (sampling) => {
  test("does not depend on how it is cut into chunks", () => {
    const whole = stream(sampling).next(60);
    const cut = stream(sampling);
    const pieces = [1, 0, 7, 2, 50].flatMap((steps) => Array.from(cut.next(steps)));
    expect(pieces).toEqual(Array.from(whole));
  });

  // 3 batches an epoch: steps 0 to 6 stop at the start, the middle and the end of one.
  test.each([0, 1, 2, 3, 4, 5, 6])("continues from the state after %i steps, through JSON", (steps) => {
    const original = stream(sampling);
    original.next(steps);
    const state = JSON.parse(JSON.stringify(original.state())) as MinibatchState;
    const resumed = stream(sampling, { seed: 8 });
    resumed.next(2);
    resumed.restore(state);
    expect(resumed.next(20)).toEqual(original.next(20));
  });

  test("depends on the seed", () => {
    expect(stream(sampling, { seed: 1 }).next(20)).not.toEqual(stream(sampling, { seed: 2 }).next(20));
  });

  test("a batch of all examples is allowed, a larger one or none is not", () => {
    expect(stream(sampling, { batchSize: 10 }).next(2)).toHaveLength(20);
    expect(() => stream(sampling, { batchSize: 11 })).toThrow("expected a batchSize from 1 to examples = 10, got 11");
    expect(() => stream(sampling, { batchSize: 0 })).toThrow(RangeError);
  });
});

// The theory's κ and c say what a scheme's counts are on average: E[P_i P_j]/β² = κ for i ≠ j and κ + c for i = j.
// Over T independent batches each entry's standard error is its deviation over √T; four of them is the tolerance.
test.each(["with-replacement", "without-replacement"] as const)("%s has the theory's second moments", (sampling) => {
  const [examples, batchSize, steps] = [6, 4, 20_000];
  const beta = batchSize / examples;
  const { kappa, c } = samplingCoefficients(sampling, examples, batchSize);
  const indices = stream(sampling, { examples, batchSize }).next(steps);
  const moments = { same: [] as number[], other: [] as number[] };
  for (let step = 0; step < steps; step++) {
    const counts = new Array<number>(examples).fill(0);
    for (const index of indices.subarray(step * batchSize, (step + 1) * batchSize)) counts[index]! += 1;
    moments.same.push(counts[1]! ** 2 / beta ** 2);
    moments.other.push((counts[1]! * counts[4]!) / beta ** 2);
  }
  expectWithinFourErrors(moments.same, kappa + c);
  expectWithinFourErrors(moments.other, kappa);
});

test("without replacement repeats no example within a batch, and every place holds every example equally often", () => {
  const [examples, batchSize, steps] = [5, 3, 10_000];
  const indices = stream("without-replacement", { examples, batchSize }).next(steps);
  const counts = new Float64Array(examples * batchSize);
  for (let step = 0; step < steps; step++) {
    const batch = indices.subarray(step * batchSize, (step + 1) * batchSize);
    expect(new Set(batch).size).toBe(batchSize);
    batch.forEach((index, place) => (counts[place * examples + index]! += 1));
  }
  // Binomial counts: mean T/N, deviation √(T/N·(1 − 1/N)) = 40; the largest of 15 stays within four of them.
  for (const count of counts) expect(Math.abs(count - steps / examples)).toBeLessThan(160);
});

test("an epoch visits every example once, but the N mod B left over, in an order of its own", () => {
  const indices = Array.from(stream("epoch-shuffle").next(6));
  for (const epoch of [indices.slice(0, 9), indices.slice(9)]) {
    expect(new Set(epoch).size).toBe(9);
    expect(Math.max(...epoch)).toBeLessThan(10);
  }
  expect(indices.slice(0, 9)).not.toEqual(indices.slice(9));
});

function expectWithinFourErrors(samples: number[], truth: number): void {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const variance = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (samples.length - 1);
  expect(Math.abs(mean - truth)).toBeLessThan(4 * Math.sqrt(variance / samples.length));
}
