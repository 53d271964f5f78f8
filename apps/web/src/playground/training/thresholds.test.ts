import { createRandom } from "@sedge/linalg";
import { criticalLearningRate, linearSystem } from "@sedge/theory";
import { expect, test } from "vitest";
import { Thresholds, thresholdAccuracy } from "./thresholds.js";

test("the diagram is that of the theory, to the accuracy of a line on the screen", () => {
  const [examples, outputs, params] = [8, 2, 40];
  const random = createRandom("thresholds");
  const jacobian = Float64Array.from({ length: examples * outputs * params }, () => random.normal());
  const system = linearSystem({ jacobian, examples, outputs });
  const population = 64;
  const thresholds = new Thresholds(system, 7, population);
  let reading = thresholds.next();
  let calls = 1;
  for (; reading === null; calls++) reading = thresholds.next();

  expect(reading).toMatchObject({ step: 7, batchSizes: [1, 2, 4, 8, 16, 32, 64] });
  expect(calls).toBe(7);
  expect(reading.deterministic).toBeCloseTo(2 / system.lambdaMax, 12);
  for (const [i, batchSize] of reading.batchSizes.entries()) {
    const { value } = criticalLearningRate(system, { batchSize, population });
    expect(Math.abs(reading.exact[i]! / value - 1), `B = ${batchSize}`).toBeLessThan(2 * thresholdAccuracy);
  }
});
