import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readRecord, report, writeRecord, type Entry } from "./record.js";

const entry = (workload: string, commit: string): Entry => ({
  circumstances: { machine: "a machine", node: "20", commit, date: "2026-01-01" },
  timings: [{ peer: "sedge", version: "20", workload, threads: 2, milliseconds: [1], median: 1, extra: {} }],
});

test("a record comes back as it was written; there is an empty one where there is no file", () => {
  const folder = mkdtempSync(join(tmpdir(), "sedge-bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "benchmarks.json");
  expect(readRecord(file)).toEqual({});
  writeRecord(file, { a: entry("a", "c1") });
  expect(readRecord(file)).toEqual({ a: entry("a", "c1") });
});

test("the report keeps apart what was measured on different commits, and the order of the workloads", () => {
  const text = report({ b: entry("b", "c1"), a: entry("a", "c1"), c: entry("c", "c2"), gone: entry("gone", "c1") }, [
    "a",
    "b",
    "c",
  ]);
  expect(text.match(/commit c1/g)).toHaveLength(1);
  expect(text.indexOf("| a |")).toBeLessThan(text.indexOf("| b |"));
  expect(text.indexOf("commit c2")).toBeLessThan(text.indexOf("| c |"));
  expect(text).not.toContain("gone");
});
