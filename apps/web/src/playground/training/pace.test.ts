import { expect, test } from "vitest";
import { Pace } from "./pace.js";

test.each([0.1, 0.3, 0.5])("a measurement that takes %d of the time takes no more, whatever it costs", (share) => {
  const pace = new Pace(share);
  let now = 0;
  let measured = 0;
  for (let i = 0; now < 100_000; i++) {
    if (pace.isDue(now)) {
      const cost = 5 + 40 * (i % 7);
      pace.took(now, now + cost);
      measured += cost;
      now += cost;
    }
    now += 1;
  }
  // All but the last measurement's rest lies within the time.
  expect(measured / now).toBeGreaterThan(0.9 * share);
  expect(measured / now).toBeLessThan(1.02 * share);
});

test("it is due at first, not while it rests, and again when something has changed", () => {
  const pace = new Pace(0.5);
  expect(pace.isDue(0)).toBe(true);
  pace.took(0, 10);
  expect([pace.isDue(19), pace.isDue(20)]).toEqual([false, true]);
  pace.took(20, 30);
  pace.reset();
  expect(pace.isDue(30)).toBe(true);
});
