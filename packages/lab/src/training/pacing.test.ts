import { expect, test } from "vitest";
import { pacer } from "./pacing.js";

test("chunks grow at most fourfold to fill 50 ms, shrink at once, and never exceed what remains", () => {
  const pace = pacer();
  expect(pace.next(1000)).toBe(16);
  pace.took(16, 1); // 16 steps a millisecond: 800 would fit
  expect(pace.next(1000)).toBe(64);
  pace.took(64, 4);
  expect(pace.next(1000)).toBe(256);
  pace.took(256, 200); // a slow machine: 64 fit
  expect(pace.next(1000)).toBe(64);
  expect(pace.next(5)).toBe(5);
  pace.took(5, 60_000);
  expect(pace.next(1000)).toBe(1);
});
