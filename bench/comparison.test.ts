import { describe, expect, it } from "vitest";
import { comparison } from "./comparison.js";
import type { Timing } from "./workload.js";

const timing = (peer: string, workload: string, milliseconds: number[]): Timing => ({
  peer,
  workload,
  milliseconds,
  version: "20",
  threads: 2,
  median: milliseconds[0]!,
  extra: {},
});

const row = (text: string, name: string) =>
  text
    .split("\n")
    .find((line) => line.startsWith(`| ${name} `))!
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

describe("comparison", () => {
  const text = comparison(
    [
      timing("abc", "halved", [10, 10, 10]),
      timing("abc", "halved", [11]),
      timing("here", "halved", [5, 5, 5]),
      timing("here", "halved", [5]),
      // All repeats of a side count in its median, 11 and 20 here; its processes decide, 10.5 and 12 against 19.5 and 21.
      timing("abc", "doubled", [10, 11]),
      timing("abc", "doubled", [12]),
      timing("here", "doubled", [19, 20]),
      timing("here", "doubled", [21]),
      // Steady within a process, but the processes of the two sides overlap.
      timing("abc", "noisy", [10, 10, 10]),
      timing("abc", "noisy", [14, 14, 14]),
      timing("here", "noisy", [12, 12, 12]),
      timing("here", "noisy", [16, 16, 16]),
      timing("here", "new", [3]),
    ],
    "abc",
    "here",
  );

  it("gives the ratio of medians and says which differences the processes agree on", () => {
    expect(row(text, "halved").slice(3)).toEqual(["0.50×", "faster"]);
    expect(row(text, "doubled").slice(3)).toEqual(["1.82×", "slower"]);
    expect(row(text, "noisy").slice(3)).toEqual(["1.17×", "no clear difference"]);
  });

  it("says how often two equal sides would be called different: 2 of the 6 orders of 2 + 2 processes", () => {
    expect(text).toContain(
      "2 processes a side in alternation; by chance a row is called faster or slower in 33 % of cases.",
    );
  });

  it("shows a workload that only one side knows, without a ratio", () => {
    expect(row(text, "new")).toEqual(["new", "–", "3.00 (3.00–3.00)", "–", ""]);
  });
});
