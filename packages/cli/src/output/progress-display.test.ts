import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { memoryIo } from "../memory-io.js";
import { afterPace, waitingRun, type RunView } from "../training/run-view.js";
import { barLine, describe, progressDisplay } from "./progress-display.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const running: RunView = {
  ...afterPace(waitingRun("r1", "η = 0.01", 12_000), { step: 6000, stepsPerSecond: 11_800, secondsLeft: 3.2 }),
  status: "running",
  latest: {
    "loss/train": 0.0421,
    "noiseKernel/exact": 0.301,
    "noiseKernel/exact/standardError": 0.02,
    "edge/deterministic": 0.19,
  },
};

test("a run in a line has step, loss, K with its error, λ_max·η/2, speed and time left", () => {
  expect(describe(running)).toBe(
    "step 6,000 of 12,000, loss 0.0421, K 0.30 ± 0.02, λ_max·η/2 0.19, 11,800 steps/s, 3 s left",
  );
  expect(describe({ ...running, status: "diverged" })).toMatch(/^diverged at step 6,000, loss/);
});

test("what the probes cost stands beside what they may", () => {
  const costing = { ...running, latest: { ...running.latest, "cost/probes": 0.0312 } };
  expect(describe(costing)).toContain(", probes 3.1 %, 11,800 steps/s");
  const budgeted = { ...costing, latest: { ...costing.latest, "cost/budget": 0.05 } };
  expect(describe(budgeted)).toContain(", probes 3.1 % of 5.0 %, 11,800 steps/s");
  const short = { ...budgeted, latest: { ...budgeted.latest, "cost/probes": 0.998 } };
  expect(describe(short)).toContain(", probes 100 % at the fewest, budget 5.0 %, 11,800 steps/s");
  expect(barLine(budgeted, { label: 8, counter: 6, columns: 160 })).toMatch(/probes 3\.1 % of 5\.0 %$/);
});

test("without a terminal, lines are few: at the start, at the end, and now and then when there is news", () => {
  const io = memoryIo();
  const display = progressDisplay(io, [running]);
  display.update([{ ...running, step: 0, latest: {} }]);
  display.update([running]); // too soon
  vi.advanceTimersByTime(5000);
  display.update([running]);
  vi.advanceTimersByTime(5000);
  display.update([running]); // no news
  display.update([{ ...running, step: 12_000, status: "finished" }]);
  display.update([{ ...running, step: 12_000, status: "finished" }]);
  display.stop();
  expect(io.stderr.trim().split("\n")).toEqual([
    "η = 0.01: started",
    `η = 0.01: ${describe(running)}`,
    expect.stringMatching(/^η = 0\.01: finished at step 12,000/),
  ]);
  expect(io.stdout).toBe("");
});

test("a run first seen under way, or ended, is said to have started too", () => {
  const io = memoryIo();
  progressDisplay(io, [running]).update([running]);
  progressDisplay(io, [running]).update([{ ...running, status: "diverged" }]);
  expect(io.stderr.trim().split("\n")).toEqual([
    "η = 0.01: started",
    "η = 0.01: started",
    expect.stringMatching(/^η = 0\.01: diverged at step 6,000/),
  ]);
});

test.each([40, 60, 80, 100, 140])("the bar fits a terminal of %i columns", (columns) => {
  const line = barLine(running, { label: 8, counter: 6, columns });
  expect(line.length).toBeLessThan(columns);
  expect(line).toMatch(/^η = 0\.01 █+░+ /);
});

test("a wide terminal shows everything, half way", () => {
  const line = barLine(running, { label: 8, counter: 6, columns: 140 });
  expect(line).toBe(
    `η = 0.01 ${"█".repeat(12)}${"░".repeat(12)}  6,000/12,000  loss 0.0421  K 0.30 ± 0.02  λ_max·η/2 0.19  11,800/s  3 s left`,
  );
});

test("with a terminal there is one bar a run, drawn on standard error", () => {
  const io = memoryIo({ watched: true, columns: 120 });
  const second = { ...running, runId: "r2", label: "η = 0.03" };
  const display = progressDisplay(io, [running, second]);
  display.update([running, second]);
  display.stop();
  expect(io.stdout).toBe("");
});
