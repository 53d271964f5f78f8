import { expect, test } from "vitest";
import { stepLength } from "./step-length.js";

test.each([
  ["step", 1],
  ["epoch", 8 / 1000],
  ["training-time", 0.03],
] as const)("a step's length on the %s axis", (axis, expected) => {
  const config = { learningRate: 0.03, batchSize: 8, data: { examples: 1000 } };
  expect(stepLength({ config }, axis)).toBe(expected);
});

test.each(["epoch", "training-time"] as const)("a run that does not say has no place on the %s axis", (axis) => {
  expect(stepLength({ config: {} }, axis)).toBeNaN();
});
