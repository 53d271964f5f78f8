import { expect, test } from "vitest";
import { placeOf } from "./line-layer.js";

const area = { left: 50, top: 10, width: 400, height: 200, ratio: 1 };
const scales = { xScale: { kind: "linear" }, yScale: { kind: "log" } } as const;
/** Painted while the chart showed 0 … 100 and 0.01 … 1, with a tenth of each length beyond. */
const painted = { xDomain: [-10, 110], yDomain: [10 ** -2.2, 10 ** 0.2], width: 480, height: 240 } as const;

test("a layer lies on its chart as it was painted, by whole pixels", () => {
  const place = placeOf(painted, { ...scales, xDomain: [0, 100], yDomain: [0.01, 1] }, area);
  expect(place).toEqual({ left: 10, top: -10, width: 480, height: 240 });
});

test("moved, it moves along; zoomed, it is stretched about the same values", () => {
  // 20 to the right of 100 over 400 pixels: 80 pixels to the left.
  const moved = placeOf(painted, { ...scales, xDomain: [20, 120], yDomain: [0.01, 1] }, area);
  expect(moved).toEqual({ left: -70, top: -10, width: 480, height: 240 });
  // Half the length is twice as wide: −10 lies 35 below the start of 25 … 75, which is 280 pixels.
  const zoomed = placeOf(painted, { ...scales, xDomain: [25, 75], yDomain: [0.01, 1] }, area);
  expect(zoomed.left).toBeCloseTo(50 - 280, 9);
  expect(zoomed.width).toBeCloseTo(960, 9);
  expect(zoomed.height).toBeCloseTo(240, 9);
});
