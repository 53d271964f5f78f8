import { expect, test } from "vitest";
import { advise, type Standing } from "./advice.js";

const standing = (rest: Partial<Standing>): Standing => ({
  ...{ learningRate: 0.1, batchSize: 8, population: 1000, probe: 64 },
  kernel: { value: 0.5, standardError: 0.02 },
  deterministic: { value: 0.1, standardError: 0.01 },
  critical: {
    learningRate: { value: 0.19, standardError: 0.005 },
    batchSize: { value: 4.2, standardError: 0.2 },
    deterministicAbove: { value: 40, standardError: 2 },
  },
  ...rest,
});

test("inside: how far η may go and B may fall, two standard errors on the safe side, and what limits", () => {
  expect(advise(standing({}))).toEqual([
    "The learning rate has room at batch size 8: up to 0.18, 1.8 times the present 0.1 (K = 1 at η = 0.19 ± 0.005; K is now 0.5 ± 0.02).",
    "The batch could be 5 instead of 8 at this learning rate (K = 1 at B = 4.2 ± 0.2).",
    "Up to B = 40 noise is what limits the step: a larger batch allows a larger learning rate, about in proportion.",
  ]);
});

test("past the stochastic edge: both ways out", () => {
  const [sentence] = advise(
    standing({
      kernel: { value: 1.6, standardError: 0.1 },
      critical: {
        learningRate: { value: 0.07, standardError: 0.005 },
        batchSize: { value: 12.4, standardError: 1 },
        deterministicAbove: { value: 90, standardError: 2 },
      },
    }),
  );
  expect(sentence).toBe(
    "The run is past the stochastic edge: K = 1.6 ± 0.1. Either lower the learning rate from 0.1 to 0.06 or less (K = 1 at η = 0.07 ± 0.005), " +
      "or raise the batch from 8 to 15 or more (K = 1 at B = 12.4 ± 1).",
  );
});

test("past the deterministic edge: only η helps", () => {
  expect(
    advise(
      standing({ deterministic: { value: 1.6, standardError: 0.1 }, kernel: { value: Infinity, standardError: NaN } }),
    ),
  ).toEqual([
    "Lower the learning rate from 0.1 to 0.0556 or less: η·λ_max stands at 1.6 ± 0.1 of the deterministic edge (and K = 1 at η = 0.19 ± 0.005). A larger batch does not help there.",
  ]);
});

// Every number that a sentence would rest on within two standard errors of the edge: no advice.
test.each<[string, Partial<Standing>]>([
  ["K on both sides of 1", { kernel: { value: 0.95, standardError: 0.04 } }],
  ["K on both sides of 1, from above", { kernel: { value: 1.05, standardError: 0.04 } }],
  ["an error bar small by chance", { kernel: { value: 1.05, standardError: 0.0001 } }],
  ["λ_max on both sides of the edge", { deterministic: { value: 0.98, standardError: 0.02 } }],
  ["the probe past the deterministic edge, the set inside", { kernel: { value: Infinity, standardError: NaN } }],
])("no advice with %s", (_, rest) => {
  const sentences = advise(standing(rest));
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toMatch(/^No advice/);
});

test("no room for what is not known: η stays where the error bar of its critical value reaches it", () => {
  const critical = { ...standing({}).critical, learningRate: { value: 0.19, standardError: 0.05 } };
  expect(advise(standing({ critical }))[0]).toMatch(/^Leave the learning rate/);
});
