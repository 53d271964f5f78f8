import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BadInput, checkpointPath } from "@sedge/lab";
import type { RunSummary } from "@sedge/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canGoOn, resumeJob } from "./resumable.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sedge-resumable-"));
  const path = checkpointPath(folder, "kept");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (id: string, status: RunSummary["status"], message: string | null = null) =>
  ({
    ...{ id, name: "mine", status, message, step: 7, steps: 10 },
    config: { learningRate: 0.1, batchSize: 1, steps: 10 },
  }) as unknown as RunSummary;

test.each(["interrupted", "failed"] as const)("a run that %s goes on if it has a checkpoint", (status) => {
  expect(resumeJob(run("kept", status), folder)).toMatchObject({
    label: "mine",
    resume: "kept",
    config: { steps: 10 },
  });
  expect(canGoOn(run("kept", status), folder)).toBe(true);
  expect(canGoOn(run("lost", status), folder)).toBe(false);
  expect(() => resumeJob(run("lost", status), folder)).toThrow(BadInput);
  expect(() => resumeJob(run("lost", status), folder)).toThrow(
    /^--resume: run lost \(mine\) has no checkpoint, .*: it ended before the first was saved/,
  );
});

test.each([
  ["running", "is being trained by another process. Stop that one first"],
  ["finished", "has ended as finished at step 7 of 10 (well inside): there is nothing to go on with."],
  ["diverged", "has ended as diverged at step 7 of 10 (well inside): there is nothing to go on with."],
] as const)("a run that is %s does not", (status, words) => {
  expect(canGoOn(run("kept", status), folder)).toBe(false);
  expect(() => resumeJob(run("kept", status, "well inside"), folder)).toThrow(words);
});
