import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { columns, sortedRuns } from "./columns.js";

const run = (id: string, change: Partial<RunSummary> = {}): RunSummary => ({
  id,
  name: id,
  status: "finished",
  startedAt: 0,
  finishedAt: null,
  step: 0,
  steps: 1,
  config: {},
  model: { paramCount: 0, description: "" },
  message: null,
  tags: [],
  latest: {},
  cursor: 0,
  verdict: null,
  ...change,
});
const kernel = (value: number) => ({ latest: { "noiseKernel/exact": value } });
const ids = (runs: readonly RunSummary[]) => runs.map(({ id }) => id);

describe("sortedRuns", () => {
  test("what was not measured comes last in both directions; infinite is more than any number", () => {
    const runs = [run("none"), run("half", kernel(0.5)), run("beyond", kernel(Infinity)), run("one", kernel(1))];
    expect(ids(sortedRuns(runs, "kernel", false))).toEqual(["half", "one", "beyond", "none"]);
    expect(ids(sortedRuns(runs, "kernel", true))).toEqual(["beyond", "one", "half", "none"]);
  });

  test("names count as people do; the newest run leads by default and among equals", () => {
    const runs = [run("run 10", { startedAt: 1 }), run("run 9", { startedAt: 2 }), run("run 9", { startedAt: 3 })];
    expect(sortedRuns(runs, "name", false).map(({ startedAt }) => startedAt)).toEqual([3, 2, 1]);
    expect(sortedRuns(runs, "age", false).map(({ startedAt }) => startedAt)).toEqual([3, 2, 1]);
    expect(sortedRuns(runs, "no such column", false).map(({ startedAt }) => startedAt)).toEqual([3, 2, 1]);
  });

  test("keeps every run, and the other direction is the reverse where all keys differ", () => {
    const anyRuns = fc
      .uniqueArray(fc.double({ noNaN: true }), { maxLength: 12 })
      .map((values) => values.map((value, i) => run(`r${i}`, kernel(value))));
    fc.assert(
      fc.property(anyRuns, (runs) => {
        const [up, down] = [ids(sortedRuns(runs, "kernel", false)), ids(sortedRuns(runs, "kernel", true))];
        expect([...up].sort()).toEqual(ids(runs).sort());
        if (!runs.some((one) => one.latest["noiseKernel/exact"] === 0)) expect(down).toEqual([...up].reverse()); // 0 = −0
      }),
    );
  });

  test("every column has its own id and orders two runs that differ in everything", () => {
    expect(new Set(columns.map(({ id }) => id)).size).toBe(columns.length);
  });
});
