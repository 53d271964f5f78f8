import { expect, test } from "vitest";
import { wantsColours } from "./io.js";

const terminal = { isTTY: true };
const pipe = {};

test("colours go to terminals, unless NO_COLOR is set to anything, and nowhere else unless forced", () => {
  expect(wantsColours(terminal, {})).toBe(true);
  expect(wantsColours(pipe, {})).toBe(false);
  expect(wantsColours(terminal, { NO_COLOR: "0" })).toBe(false);
  expect(wantsColours(terminal, { NO_COLOR: "" })).toBe(true); // https://no-color.org: when not empty
  expect(wantsColours(terminal, { TERM: "dumb" })).toBe(false);
  expect(wantsColours(pipe, { FORCE_COLOR: "1" })).toBe(true);
  expect(wantsColours(pipe, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
});
