import { expect, test } from "vitest";
import { standing } from "./standing.js";

const of = (exact: number, standardError = 0.01, ratio = 0.2) => standing({ exact, standardError }, ratio)?.text;

test("a reading is judged by the nearer edge, and by its error bar", () => {
  expect(standing(undefined, 0.5)).toBeNull();
  expect(of(0.2)).toMatch(/^Well inside/);
  expect(of(0.7)).toMatch(/^Inside/);
  expect(of(0.95)).toMatch(/^On the stochastic edge/);
  expect(of(1.05)).toMatch(/^On the stochastic edge/);
  expect(of(1.2)).toMatch(/^Past the stochastic edge/);
  expect(of(1.2, 0.15)).toMatch(/^On the stochastic edge/);
  expect(of(1.2, NaN)).toMatch(/^Past the stochastic edge/);
  expect(of(0.9, 0.01, 1)).toMatch(/^Past the deterministic edge/);
  expect(of(Infinity, NaN)).toMatch(/^Past the deterministic edge/);
});
