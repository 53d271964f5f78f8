import { describe, expect, test } from "vitest";
import type { RunSummary } from "../api/types.js";
import { batchGrid, deterministicCurve, stochasticCurve } from "./curves.js";
import { marksOf, neighbourMark, offsetOf, sweepsOf } from "./marks.js";
import { outcomeOf } from "./outcome.js";

const run = (learningRate: number, batchSize: number, change: Partial<RunSummary> = {}): RunSummary => ({
  id: `${learningRate}-${batchSize}-${change.name ?? ""}`,
  name: "run",
  status: "finished",
  startedAt: 0,
  finishedAt: 1,
  step: 1,
  steps: 1,
  config: { learningRate, batchSize },
  model: { paramCount: 0, description: "" },
  message: null,
  tags: [],
  latest: {},
  cursor: 0,
  verdict: null,
  ...change,
});

describe("marks", () => {
  test("are of runs that have a place, with those of one cell beside each other", () => {
    const marks = marksOf([run(0.1, 8), run(0.01, 8), run(0.1, 1), run(0.1, 8, { name: "b" }), run(NaN, 1)]);
    expect(marks.map(({ learningRate, batchSize, place, of }) => [learningRate, batchSize, place, of])).toEqual([
      [0.1, 1, 0, 1],
      [0.01, 8, 0, 1],
      [0.1, 8, 0, 2],
      [0.1, 8, 1, 2],
    ]);
    expect(offsetOf(marks[0]!)).toEqual([0, 0]);
    const [a, b] = [offsetOf(marks[2]!), offsetOf(marks[3]!)];
    expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeGreaterThan(1.5);
  });

  test("arrow keys go along rows and columns, and stay at the rim", () => {
    const marks = marksOf([run(0.1, 1), run(0.1, 8), run(0.1, 8, { name: "b" }), run(1, 1), run(1, 8)]);
    const at = (rate: number, batch: number, place = 0) =>
      marks.find((mark) => mark.learningRate === rate && mark.batchSize === batch && mark.place === place)!;
    expect(neighbourMark(marks, at(0.1, 1), "ArrowRight")).toBe(at(0.1, 8));
    expect(neighbourMark(marks, at(0.1, 8), "ArrowRight")).toBe(at(0.1, 8, 1));
    expect(neighbourMark(marks, at(0.1, 8, 1), "ArrowLeft")).toBe(at(0.1, 8));
    expect(neighbourMark(marks, at(0.1, 1), "ArrowUp")).toBe(at(1, 1));
    expect(neighbourMark(marks, at(1, 8), "ArrowUp")).toBe(at(1, 8));
    expect(neighbourMark(marks, at(1, 8), "ArrowDown").learningRate).toBe(0.1);
  });

  test("sweeps are the tags that say so", () => {
    expect(sweepsOf([run(1, 1, { tags: ["sweep:b", "x"] }), run(1, 1, { tags: ["sweep:a"] })])).toEqual(["a", "b"]);
  });
});

test("an outcome is how a run ended, then where it stands", () => {
  const verdict = { state: "at-edge", binding: "stochastic", text: "" } as const;
  expect(outcomeOf(run(1, 1, { verdict }))).toBe("at-edge");
  expect(outcomeOf(run(1, 1))).toBe("converged");
  expect(outcomeOf(run(1, 1, { status: "interrupted", verdict }))).toBe("broken");
  expect(outcomeOf(run(1, 1, { status: "diverged", verdict }))).toBe("diverged");
});

describe("curves", () => {
  test("K = 1 of K = η s/B is η = B/s, and the median of two is their geometric middle", () => {
    const kernel = (slope: number) => ({
      at: (rate: number, batch: number) => (rate * slope) / batch,
      population: 64,
      deterministicEdge: 1e6,
    });
    const curve = stochasticCurve([kernel(1), kernel(4)], [1, 8, 64, 128])!;
    expect(curve.batchSizes).toEqual([1, 8, 64]); // no batch is larger than the training set
    curve.batchSizes.forEach((size, i) => {
      expect(curve.highest[i]! / size).toBeCloseTo(1, 5);
      expect(curve.lowest[i]! / size).toBeCloseTo(1 / 4, 5);
      expect(curve.median[i]! / size).toBeCloseTo(1 / 2, 5);
    });
    expect(stochasticCurve([], [1])).toBeNull();
  });

  test("the deterministic edge does not know the batch size", () => {
    expect(deterministicCurve([0.2, NaN, 0.8], [1, 2])).toEqual({
      batchSizes: [1, 2],
      median: [0.4, 0.4],
      lowest: [0.2, 0.2],
      highest: [0.8, 0.8],
      probes: 2,
    });
    expect(deterministicCurve([NaN, Infinity], [1])).toBeNull();
  });

  test("the grid holds whole batch sizes, each once, with both ends", () => {
    const grid = batchGrid(1, 512);
    expect([grid[0], grid.at(-1)]).toEqual([1, 512]);
    expect(new Set(grid).size).toBe(grid.length);
    expect(grid.every(Number.isInteger)).toBe(true);
    expect(batchGrid(3, 3)).toEqual([3]);
  });
});
