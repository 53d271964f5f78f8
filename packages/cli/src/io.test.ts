import { expect, test } from "vitest";
import { processIo, wantsColours } from "./io.js";

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

test("signals are taken only while somebody waits for them, and left alone during work that blocks", () => {
  const listeners = () => process.listenerCount("SIGINT");
  const before = listeners();
  const io = processIo(process);
  expect(listeners()).toBe(before);
  expect(io.interrupted.aborted).toBe(false);
  expect(listeners()).toBe(before + 1);
  io.blocking(() => expect(listeners()).toBe(before));
  expect(listeners()).toBe(before + 1);
  expect(() =>
    io.blocking(() => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(listeners()).toBe(before + 1);
  const [own] = process.listeners("SIGINT").slice(-1);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, own as () => void);
});
