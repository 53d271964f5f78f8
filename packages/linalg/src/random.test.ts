import { expect, test } from "vitest";
import { portableLog } from "./log.js";
import { createRandom } from "./random.js";

test("normals have the moments of the normal distribution", () => {
  const count = 400_000;
  const x = createRandom(7).normals(count);
  const moment = (power: number): number => x.reduce((sum, value) => sum + value ** power, 0) / count;
  // Four standard errors: Var xᵖ = E x²ᵖ − (E xᵖ)², with E x⁸ = 105.
  expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
});

test("the portable logarithm agrees with Math.log", () => {
  const rng = createRandom("log");
  for (let i = 0; i < 10_000; i++) {
    const x = rng.uniform() * 2 ** (rng.integer(200) - 100) + 1e-300;
    expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
  }
});

test("a restored stream continues with the same numbers, and a fork does not depend on what was drawn", () => {
  const rng = createRandom("stream");
  const before = rng.fork("child").uniform();
  rng.normals(10);
  const state = rng.state();
  const next = rng.normals(5);
  const other = createRandom(1);
  other.restore(state);
  expect(other.normals(5)).toEqual(next);
  expect(other.fork("child").uniform()).toBe(before);
});

test("integers are uniform", () => {
  const rng = createRandom("integers");
  const counts = new Float64Array(6);
  for (let i = 0; i < 60_000; i++) counts[rng.integer(6)]! += 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(4 * Math.sqrt(60_000 * (5 / 36)));
});
