import { expect, test } from "vitest";
import { sparkline } from "./sparkline.js";

test("is a line through the values, on a scale that ends at 1.5", () => {
  expect(sparkline([0, 0.75, 1.5], 100, 30)).toEqual({ path: "M0.0 30.0L50.0 15.0L100.0 0.0", edge: 10 });
});

test("breaks where nothing was measured, and shows what is infinite at the top", () => {
  expect(sparkline([0, NaN, Infinity, 3], 90, 30).path).toBe("M0.0 30.0M60.0 0.0L90.0 0.0");
  expect(sparkline([], 90, 30).path).toBe("");
  expect(sparkline([NaN], 90, 30).path).toBe("");
});

test("of many values it draws few, and none of the peaks is lost", () => {
  const values = new Float64Array(5000).fill(0.3);
  values[3217] = 1.4;
  const { path } = sparkline(values, 80, 30);
  const heights = [...path.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
  expect(heights.length).toBeLessThanOrEqual(48);
  expect(Math.min(...heights)).toBe(2); // 30 − 1.4/1.5 · 30
});
