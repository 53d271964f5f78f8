import { describe, expect, test } from "vitest";
import { median, quantile } from "./statistics.js";
import { replaceTable, table } from "./table.js";
import type { Timing } from "./workload.js";

const timing = (peer: string, milliseconds: number[], disturbed?: string): Timing => ({
  peer,
  version: "1",
  workload: "work",
  threads: 2,
  milliseconds,
  median: median(milliseconds),
  extra: disturbed === undefined ? {} : { disturbed },
});

describe("statistics", () => {
  test("the median of an even number of values is the mean of the middle two", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
  test("quartiles interpolate between order statistics", () => {
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
  });
  test("no values have no median", () => {
    expect(median([])).toBeNaN();
  });
});

describe("table", () => {
  test("divides our median by the fastest peer's, whatever the order of the lines", () => {
    const lines = table([timing("jax", [2]), timing("sedge", [1, 1.2, 0.8]), timing("numpy", [4])]).split("\n");
    expect(lines[0]).toBe("| workload, ms | sedge | numpy | jax | sedge / best peer |");
    expect(lines[2]).toBe("| work | 1.00 (0.900–1.10) | 4.00 | **2.00** | 0.50× |");
  });
  test("pools the repeats of several rounds and marks disturbed ones", () => {
    expect(table([timing("sedge", [1], "1 of 1"), timing("sedge", [3])]).split("\n")[2]).toBe(
      "| work | 2.00* (1.50–2.50) | – |",
    );
  });
});

test("replaceTable replaces the block and leaves the prose around it", () => {
  const once = replaceTable("# Benchmarks\n\nBefore.\n", "first");
  const twice = replaceTable(`${once}\nAfter.\n`, "second");
  expect(twice).toContain("Before.");
  expect(twice).toContain("After.");
  expect(twice).toContain("second");
  expect(twice).not.toContain("first");
});
