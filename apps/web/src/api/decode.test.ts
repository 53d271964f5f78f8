import { expect, test } from "vitest";
import { decodeEvent, decodeNumber, decodeRun, decodeSeries } from "./decode.js";
import { ApiError } from "./errors.js";

test("numbers that JSON does not have come as strings", () => {
  expect([1.5, "NaN", "Infinity", "-Infinity", null, "1"].map(decodeNumber)).toEqual([
    1.5,
    NaN,
    Infinity,
    -Infinity,
    NaN,
    NaN,
  ]);
});

test("a run that lacks what identifies it is refused by name; the rest may be missing", () => {
  const least = { id: "a", name: "n", status: "running", startedAt: 1, step: 0, steps: 1 };
  expect(decodeRun(least)).toMatchObject({ id: "a", config: {}, latest: {}, verdict: null, message: null });
  expect(() => decodeRun({ ...least, status: "dancing" })).toThrow(/run\.status is "dancing"/);
  expect(() => decodeRun({ ...least, id: 7 })).toThrow(ApiError);
  expect(decodeRun({ ...least, verdict: { state: "odd", text: "?" } }).verdict).toBeNull();
});

test("series are decoded; unequal columns are refused", () => {
  const series = decodeSeries({ series: { k: { steps: [0, 1], times: [5, 6], values: ["Infinity", 0.5] } } });
  expect(series.get("k")).toEqual({ steps: [0, 1], times: [5, 6], values: [Infinity, 0.5] });
  expect(() => decodeSeries({ series: { k: { steps: [0], times: [5, 6], values: [1, 2] } } })).toThrow(/series k/);
});

test("an event of an unknown kind is no error", () => {
  expect(decodeEvent("advice", {})).toBeNull();
  expect(decodeEvent("hello", { cursor: 3, reset: true })).toEqual({ type: "hello", cursor: 3, reset: true });
});
