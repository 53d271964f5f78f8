import { expect, test } from "vitest";
import { formatAge } from "./age.js";

const now = Date.UTC(2026, 5, 15, 12);
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

test.each([
  [now + minute, "just now"],
  [now - 59_999, "just now"],
  [now - 61 * minute, "1 h ago"],
  [now - 59 * minute, "59 min ago"],
  [now - 30 * hour, "1 d ago"],
  [now - 40 * day, "2026-05-06"],
  [NaN, "–"],
])("%i: %s", (time, words) => {
  expect(formatAge(time, now)).toBe(words);
});
