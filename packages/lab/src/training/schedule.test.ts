import { expect, test } from "vitest";
import type { ScheduleConfig } from "../config/schedule-config.js";
import { learningRateAt } from "./schedule.js";

const rates = (schedule: ScheduleConfig | undefined, steps: number, learningRate = 0.8) =>
  Array.from({ length: steps }, (_, t) => learningRateAt({ learningRate, steps, schedule })(t));

// Values worked out by hand; a few roundings of 1e-16 remain.
const close = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((rate, t) => expect(rate, `step ${t}`).toBeCloseTo(expected[t]!, 14));

test("without a schedule the rate is constant", () => {
  expect(rates(undefined, 3)).toEqual([0.8, 0.8, 0.8]);
});

test("warmup rises to the full rate at its last step", () => {
  close(rates({ kind: "constant", warmup: 4 }, 6), [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]);
});

test("linear falls to its final share where the run ends", () => {
  close(rates({ kind: "linear", warmup: 0, final: 0.5 }, 4), [0.8, 0.7, 0.6, 0.5]);
  close(rates({ kind: "linear", warmup: 2 }, 6), [0.4, 0.8, 0.8, 0.6, 0.4, 0.2]);
});

test("cosine is half way down in the middle", () => {
  const [first, second, middle] = rates({ kind: "cosine", warmup: 0 }, 4);
  close([first!, second!, middle!], [0.8, 0.4 * (1 + Math.SQRT1_2), 0.4]);
  close([rates({ kind: "cosine", warmup: 0, final: 0.1 }, 4)[2]!], [0.8 * (0.1 + 0.9 / 2)]);
});

test("step drops by its factor every so many steps", () => {
  close(rates({ kind: "step", warmup: 0, every: 2, factor: 0.5 }, 6), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]);
});

test("wsd is stable, then falls in a line", () => {
  close(rates({ kind: "wsd", warmup: 1, decay: 4 }, 8), [0.8, 0.8, 0.8, 0.8, 0.8, 0.6, 0.4, 0.2]);
});
