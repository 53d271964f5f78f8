import { expect, test } from "vitest";
import { decades, settingsAt, xOf, yOf, type PhaseAxes } from "./phase-geometry.js";

const axes: PhaseAxes = {
  frame: { left: 40, top: 10, width: 300, height: 200 },
  largestBatch: 512,
  low: 1e-3,
  high: 1,
};

test("settings and places of the diagram are each other's inverse, up to the next power of two", () => {
  for (const batchSize of [1, 2, 64, 512]) {
    for (const learningRate of [0.001, 0.02, 1]) {
      const found = settingsAt(axes, xOf(axes, batchSize) + 8, yOf(axes, learningRate));
      expect(found.batchSize).toBe(batchSize);
      expect(found.learningRate).toBeCloseTo(learningRate, 12);
    }
  }
});

test("what is outside the frame counts as on its rim", () => {
  expect(settingsAt(axes, -1e3, 1e4)).toEqual({ batchSize: 1, learningRate: 0.001 });
  expect(settingsAt(axes, 1e4, -1e3)).toEqual({ batchSize: 512, learningRate: 1 });
  expect([yOf(axes, Infinity), yOf(axes, 1e-9)]).toEqual([10, 210]);
});

test("decades are the powers of ten within the axis, both ends included", () => {
  expect(decades(axes)).toEqual([0.001, 0.01, 0.1, 1]);
  expect(decades({ ...axes, low: 2e-3, high: 0.5 })).toEqual([0.01, 0.1]);
});
