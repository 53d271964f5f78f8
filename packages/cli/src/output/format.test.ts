import { describe, expect, test } from "vitest";
import { formatCount, formatDuration, formatNumber, formatRatio, formatWithError } from "./format.js";

describe("numbers for people", () => {
  test.each<[number | undefined, string]>([
    [0.042123, "0.0421"],
    [1.6789, "1.68"],
    [12.34, "12.3"],
    [1234.5, "1235"],
    [999_999, "999999"],
    [1.5e6, "1.50e6"],
    [0.000012345, "1.23e−5"],
    [-0.5, "−0.500"],
    [0, "0"],
    [Infinity, "∞"],
    [-Infinity, "−∞"],
    [NaN, "—"],
    [undefined, "—"],
  ])("%d is %s", (value, text) => expect(formatNumber(value)).toBe(text));

  test.each<[number | undefined, string]>([
    [0.3, "0.30"],
    [0.9999, "1.00"],
    [0.0123, "0.012"],
    [123.4, "123"],
    [Infinity, "∞"],
    [NaN, "—"],
  ])("the ratio %d is %s", (value, text) => expect(formatRatio(value)).toBe(text));

  test("an error bar is shown where there is one", () => {
    expect(formatWithError(0.3, 0.021)).toBe("0.30 ± 0.02");
    expect(formatWithError(0.3, NaN)).toBe("0.30");
    expect(formatWithError(Infinity, 0.1)).toBe("∞");
    expect(formatWithError(undefined, undefined)).toBe("—");
  });

  test("counts have thousands marked, durations their colons", () => {
    expect(formatCount(12_000)).toBe("12,000");
    expect([0, 59.4, 65, 7400, NaN].map(formatDuration)).toEqual(["0 s", "59 s", "1:05", "2:03:20", "?"]);
  });
});
