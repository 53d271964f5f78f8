import { expect, test } from "vitest";
import { decodeEvent, decodeNumber, decodeRecords, decodeRun, decodeSeries, decodeSpectra } from "./decode.js";
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

test("records keep their data as they came; advice goes under its own kind with its words", () => {
  const place = { step: 3, time: 5 };
  expect(decodeRecords({ probes: [{ ...place, kind: "control", data: { error: "NaN" } }] }, "probes")).toEqual([
    { ...place, kind: "control", data: { error: "NaN" } },
  ]);
  expect(
    decodeRecords({ advice: [{ ...place, kind: "advisor", text: "Halve η.", data: { a: 1 } }] }, "advice"),
  ).toEqual([{ ...place, kind: "advice/advisor", data: { a: 1, text: "Halve η." } }]);
  expect(decodeSpectra({ spectra: [{ ...place, kind: "ntk", eigenvalues: [0, 2] }] })).toEqual([
    { ...place, kind: "spectrum/ntk", data: { eigenvalues: [0, 2] } },
  ]);
  expect(() => decodeRecords({ probes: 3 }, "probes")).toThrow(/probes is 3/);
});

test("the stream says which run has recorded something", () => {
  expect(decodeEvent("recorded", { runId: "a", step: 4, time: 0, what: ["probe"], kinds: ["examples"] })).toEqual({
    type: "recorded",
    recorded: { runId: "a", step: 4 },
  });
});
