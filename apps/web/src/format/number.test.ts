import { expect, test } from "vitest";
import {
  formatCount,
  formatDuration,
  formatEstimate,
  formatSetting,
  formatShare,
  formatTick,
  formatValue,
} from "./number.js";

test.each([
  [0, "0"],
  [0.04234, "0.0423"],
  [0.0870001, "0.0870"],
  [1.53, "1.53"],
  [62.71, "62.7"],
  [667, "667"],
  [66_666, "66666"],
  [123_456, "1.23×10⁵"],
  [0.00001234, "1.23×10⁻⁵"],
  [-0.5, "−0.500"],
  // 9.996 has three digits as 10.0, not 10.00.
  [9.996, "10.0"],
  [NaN, "–"],
  [Infinity, "∞"],
  [-Infinity, "−∞"],
])("formatValue(%d) is three significant digits: %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

test.each([
  [0.003, "0.003"],
  [0.01, "0.01"],
  [1, "1"],
  [128, "128"],
  [0.1 + 0.2, "0.3"],
  [1e-6, "1×10⁻⁶"],
  [-2000, "−2000"],
])("formatSetting(%d) is as it was written: %s", (value, text) => {
  expect(formatSetting(value)).toBe(text);
});

test.each([
  [999, "999"],
  [8400, "8400"],
  [12_000, "12\u2009000"],
  [1_234_567, "1\u2009234\u2009567"],
  [NaN, "–"],
])("formatCount(%d) groups from five digits on: %s", (value, text) => {
  expect(formatCount(value)).toBe(text);
});

test("formatTick groups whole numbers and keeps fractions as they are", () => {
  expect([0.05, 2, 12_000, 1e6].map(formatTick)).toEqual(["0.05", "2", "12\u2009000", "1×10⁶"]);
});

// The Particle Data Group's examples of rounding: 0.827 ± 0.119 → 0.83 ± 0.12, 0.827 ± 0.367 → 0.8 ± 0.4.
test.each([
  [0.827, 0.119, "0.83", "0.12"],
  [0.827, 0.367, "0.8", "0.4"],
  [0.981, 0.0543, "0.98", "0.05"],
  [0.298, 0.0179, "0.298", "0.018"],
  [23.4, 12, "23", "12"],
  [0.5, 0.0096, "0.50", "0.01"], // 0.0096 is 0.01 to one digit
])("formatEstimate(%d, %d) is %s ± %s", (value, error, shown, shownError) => {
  // An error that rounds up to the next power of ten shows one digit of it.
  expect(formatEstimate(value, error)).toEqual({ value: shown, error: shownError });
});

test("formatEstimate leaves out an error that says nothing", () => {
  expect(formatEstimate(0.654321, NaN)).toEqual({ value: "0.654", error: null });
  expect(formatEstimate(0.654321, 0)).toEqual({ value: "0.654", error: null });
  expect(formatEstimate(Infinity, 0.1)).toEqual({ value: "∞", error: null });
});

test("formatShare is a percentage", () => {
  expect(formatShare(0.9731)).toBe("97.3\u2009%");
  expect(formatShare(NaN)).toBe("–");
});

test.each([
  [0.84, "0.8 s"],
  [42.4, "42 s"],
  [59.7, "1 min 00 s"],
  [185, "3 min 05 s"],
  [7810, "2 h 10 min"],
])("formatDuration(%d) is %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
