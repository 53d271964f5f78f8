import { expect, test } from "vitest";
import { createRunId, isRunId } from "./run-id.js";

test("ids of one process are distinct and in order, though thousands are born in each millisecond", () => {
  const ids = Array.from({ length: 100_000 }, () => createRunId());
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

test("ids sort by the time they were made", () => {
  const later = Date.UTC(2031, 5, 1);
  const ids = [0, 1, 1000, 86_400_000, 3e11].map((delay) => createRunId(later + delay));
  expect([...ids].sort()).toEqual(ids);
});

test("a clock that goes back does not break the order", () => {
  const first = createRunId(Date.UTC(2045, 0, 1));
  const second = createRunId(Date.UTC(2024, 0, 2));
  expect(second > first).toBe(true);
});

test("an id is twelve characters that are safe in a path, a URL and a shell", () => {
  expect(createRunId()).toMatch(/^[0-9a-hjkmnp-tv-z]{12}$/);
});

test.each([
  ["2q8v0k3mx7ta", true],
  ["0123456789abcdef0123456789abcdef", true],
  ["my_run-2", true],
  ["", false],
  ["-flag", false],
  ["../etc", false],
  ["a b", false],
  ["a".repeat(65), false],
])("isRunId(%j) is %j", (id, expected) => {
  expect(isRunId(id)).toBe(expected);
});
