import { createRandom } from "@sedge/linalg";
import { criticalBatchSize, criticalLearningRate, linearSystem, noiseKernel } from "@sedge/theory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AdviceInput } from "./advice.js";
import { advise } from "./advise.js";
import { boundedCriticalValues, rateFactors } from "./bounds.js";
import { adviceInputOf } from "./standing.js";

const input = (rest: Partial<AdviceInput> = {}): AdviceInput => ({
  ...{ learningRate: 0.1, batchSize: 8, population: 1000, probe: 64 },
  kernel: { value: 0.5, standardError: 0.02 },
  deterministic: { value: 0.1, standardError: 0.01 },
  critical: {
    learningRate: { value: 0.19, standardError: 0.005 },
    batchSize: { value: 4.2, standardError: 0.2 },
    deterministicAbove: { value: 40, standardError: 2 },
  },
  howToMeasureMore: { kernel: (n) => `--examples ${n}`, deterministic: "More examples narrow it" },
  ...rest,
});
const texts = (rest: Partial<AdviceInput>) => advise(input(rest)).statements.map(({ text }) => text);

describe("worked cases", () => {
  test("inside: how far η may go and B may fall, two standard errors on the safe side, and what limits", () => {
    const { temper, statements } = advise(input());
    expect(temper).toBe("balanced");
    expect(statements.map(({ text }) => text)).toEqual([
      "The learning rate has room at batch size 8: up to 0.18, 1.8 times the present 0.1 (K = 1 at η = 0.19 ± 0.005; K is now 0.5 ± 0.02).",
      "The batch could be 5 instead of 8 at this learning rate (K = 1 at B = 4.2 ± 0.2).",
      "Up to B = 40 noise is what limits the step: a larger batch allows a larger learning rate, about in proportion.",
    ]);
    expect(statements[0]!.change!.learningRate).toBeCloseTo(0.18, 12);
    expect(statements[1]!.change).toEqual({ batchSize: 5 });
    expect(statements.every(({ confidence }) => confidence === "sure")).toBe(true);
  });

  test("past the stochastic edge: both ways out", () => {
    const { temper, statements } = advise(
      input({
        kernel: { value: 1.6, standardError: 0.1 },
        critical: {
          learningRate: { value: 0.07, standardError: 0.005 },
          batchSize: { value: 12.4, standardError: 1 },
          deterministicAbove: { value: 90, standardError: 2 },
        },
      }),
    );
    expect(temper).toBe("too-bold");
    expect(statements).toHaveLength(1);
    expect(statements[0]!.text).toBe(
      "The run is past the stochastic edge: K = 1.6 ± 0.1. Either lower the learning rate from 0.1 to 0.06 or less (K = 1 at η = 0.07 ± 0.005), " +
        "or raise the batch from 8 to 15 or more (K = 1 at B = 12.4 ± 1).",
    );
  });

  test("past the deterministic edge: only η helps", () => {
    const past = { deterministic: { value: 1.6, standardError: 0.1 }, kernel: { value: Infinity, standardError: NaN } };
    expect(texts(past)).toEqual([
      "Lower the learning rate from 0.1 to 0.0556 or less: η·λ_max stands at 1.6 ± 0.1 of the deterministic edge (and K = 1 at η = 0.19 ± 0.005). A larger batch does not help there.",
    ]);
  });

  test("above the turn a larger batch buys nothing", () => {
    expect(texts({ batchSize: 64 }).at(-1)).toBe(
      "Above B = 40 the deterministic edge is the nearer one: a batch larger than the present 64 allows no larger step.",
    );
  });

  test("a timid run is called so", () => {
    const timid = input({
      kernel: { value: 0.05, standardError: 0.01 },
      deterministic: { value: 0.02, standardError: 0.001 },
    });
    expect(advise(timid).temper).toBe("timid");
  });

  test("layers and examples that stand out are named, others are not", () => {
    const layers = [
      { name: "0", kind: "dense", perronShare: 0.9, lambdaMaxShare: 0.8 },
      { name: "1", kind: "dense", perronShare: 0.1, lambdaMaxShare: 0.2 },
    ];
    const examples = [
      { index: 512, weight: 0.4, label: "3" },
      { index: 7, weight: 0.2, label: null },
    ];
    expect(texts({ layers, examples }).slice(-2)).toEqual([
      "Layer 0 (dense) makes 90 % of K's leading direction and 80 % of λ_max: a smaller step or a normalisation there moves the edge most.",
      "2 examples make 60 % of K on the 64 probed: number 512 (3), 7. Look whether they are mislabelled or out of place.",
    ]);
    const even = layers.concat(layers).map((layer) => ({ ...layer, perronShare: 0.25 }));
    expect(texts({ layers: even, examples: [{ index: 1, weight: 0.1 }] })).toEqual(texts({}));
  });

  test("no room for what is not known: η stays where the error bar of its critical value reaches it", () => {
    const critical = { ...input().critical!, learningRate: { value: 0.19, standardError: 0.05 } };
    expect(texts({ critical })[0]).toMatch(/^Leave the learning rate/);
  });

  test("an infinite error bar decides nothing", () => {
    const statements = advise(
      input({ kernel: { value: 1.09, standardError: Infinity }, critical: undefined }),
    ).statements;
    expect(statements.filter(({ change }) => change !== undefined)).toEqual([]);
    expect(statements.map(({ text }) => text).join(" ")).toContain("1.09 ± ∞");
  });

  test("a run that diverged from inside gets no advice but to measure more often", () => {
    expect(texts({ status: "diverged", step: 37 })).toEqual([
      "No advice: the run diverged at step 37 although it was inside both edges when last measured, K = 0.5 ± 0.02. Measure more often to see what changed.",
    ]);
  });

  test("from a stored run's latest metrics, where the probe is gone: bounds, and likely at best", () => {
    const latest = {
      ...{ "noiseKernel/exact": 0.2, "noiseKernel/exact/standardError": 0.01, "edge/deterministic": 0.05 },
      ...{ sharpness: 10, "sharpness/ritzResidual": 0.01, learningRate: 0.02, batchSize: 4 },
    };
    const config = { learningRate: 0.5, batchSize: 4, data: { examples: 1000 }, probes: { examples: 64 } };
    const stored = adviceInputOf(config, { status: "finished", step: 10 }, latest);
    expect(stored.learningRate).toBe(0.02);
    const { statements } = advise(stored);
    expect(statements[0]!.about).toBe("learning-rate");
    expect(statements.every(({ confidence }) => confidence !== "sure")).toBe(true);
    // K rises at least in proportion: η may go to a little under five times, never above.
    expect(statements[0]!.change!.learningRate).toBeGreaterThan(0.07);
    expect(statements[0]!.change!.learningRate).toBeLessThan(0.1);
  });

  test("layers and examples that the newest records of a stored run hold are named", () => {
    const config = { learningRate: 0.02, batchSize: 4, data: { examples: 1000 }, probes: { examples: 64 } };
    const layer = (name: string, share: number) => ({ name, kind: "dense", perronShare: share, lambdaMaxShare: share });
    const attribution = (share: number) => ({
      kind: "attribution",
      data: { layers: [layer("W1", share), layer("W2", 1 - share)] },
    });
    const responsible = [
      { index: 17, weight: 0.4, label: 3 },
      { index: 5, weight: 0.2, label: 8 },
    ];
    const records = [attribution(0.1), attribution(0.8), { kind: "examples", data: { responsible } }];
    const { statements } = advise(adviceInputOf(config, { status: "running", step: 10 }, {}, records));
    const said = (about: string) => statements.find((statement) => statement.about === about)?.text;
    expect(said("layers")).toMatch(/^Layer W1 \(dense\) makes 80 % of K/);
    expect(said("examples")).toMatch(/^2 examples make 60 % of K on the 64 probed: number 17 \(3\), 5 \(8\)\./);
  });
});

// Every number that a sentence would rest on within two standard errors of the edge: no advice.
test.each<[string, Partial<AdviceInput>]>([
  ["K on both sides of 1", { kernel: { value: 0.95, standardError: 0.04 } }],
  ["K on both sides of 1, from above", { kernel: { value: 1.05, standardError: 0.04 } }],
  ["an error bar small by chance", { kernel: { value: 1.05, standardError: 0.0001 } }],
  ["λ_max on both sides of the edge", { deterministic: { value: 0.98, standardError: 0.02 } }],
  ["the probe past the deterministic edge, the set inside", { kernel: { value: Infinity, standardError: NaN } }],
  ["nothing measured", { kernel: unknown(), deterministic: unknown() }],
  ["K not measured", { kernel: unknown() }],
])("no advice with %s", (_, rest) => {
  const { statements } = advise(input(rest));
  expect(statements).toHaveLength(1);
  expect(statements[0]).toMatchObject({ about: "no-advice", confidence: "unsure" });
  expect(statements[0]!.text).toMatch(/^No advice/);
  expect(statements[0]).not.toHaveProperty("change");
});

function unknown() {
  return { value: NaN, standardError: NaN };
}

const anyNumber = fc.oneof(
  fc.double({ min: 0, max: 4, noNaN: true }),
  fc.constantFrom(NaN, Infinity, 0, 1, -0.1, 1e-300, 1e300),
);
const anyMeasured = fc.record({ value: anyNumber, standardError: anyNumber });

describe("whatever was measured", () => {
  test("no change rests on a number whose error bar spans its edge", () => {
    fc.assert(
      fc.property(anyMeasured, anyMeasured, fc.boolean(), (kernel, deterministic, solved) => {
        const { statements, temper } = advise(
          input({ kernel, deterministic, ...(!solved && { critical: undefined }) }),
        );
        const spans = ({ value, standardError }: typeof kernel) =>
          Number.isFinite(value) && Number.isFinite(standardError) && Math.abs(value - 1) < 2 * Math.abs(standardError);
        for (const { change, text } of statements) {
          expect(text).not.toMatch(/NaN|undefined/);
          if (change === undefined) continue;
          expect(spans(deterministic)).toBe(false);
          // Past the deterministic edge K does not enter.
          if (!(deterministic.value > 1)) expect(spans(kernel)).toBe(false);
          for (const value of Object.values(change)) expect(value).toBeGreaterThan(0);
        }
        expect(["too-bold", "balanced", "timid", "unknown"]).toContain(temper);
      }),
      { numRuns: 500 },
    );
  });

  test("advice that is followed leaves the run inside: on random linear systems, where K is exact", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0.05, max: 3, noNaN: true }), (seed, scale) => {
        const system = linearSystem({ jacobian: createRandom(seed).normals(12 * 20), examples: 12 });
        const settings = { batchSize: 3, population: 12 };
        const critical = criticalLearningRate(system, settings).value;
        const learningRate = scale * critical;
        const at = (rate: number, batchSize = 3) => noiseKernel(system, { ...settings, learningRate: rate, batchSize });
        const now = at(learningRate);
        const exact = { standardError: 0 };
        const { statements } = advise({
          ...{ learningRate, batchSize: 3, population: 12, probe: 12 },
          kernel: { value: now.exact, ...exact },
          deterministic: { value: now.deterministicRatio, ...exact },
          // Not solved for: the bounds have to be on the safe side by themselves.
        });
        for (const { change } of statements) {
          if (change?.learningRate !== undefined) {
            const after = at(change.learningRate);
            // Past the deterministic edge K is infinite and says nothing of where it would be 1.
            if (now.exact < Infinity) expect(after.exact).toBeLessThanOrEqual(1 + 1e-9);
            else expect(after.deterministicRatio).toBeLessThan(0.6);
          }
          if (change?.batchSize !== undefined && change.batchSize <= 12) {
            expect(at(learningRate, change.batchSize).exact).toBeLessThanOrEqual(1 + 1e-9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("the bounds hold the solved critical values", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (seed, scale) => {
      const system = linearSystem({ jacobian: createRandom(seed).normals(10 * 16), examples: 10 });
      const settings = { batchSize: 3, population: 10 };
      const solved = criticalLearningRate(system, settings).value;
      const learningRate = scale * solved;
      const { exact, deterministicRatio } = noiseKernel(system, { ...settings, learningRate });
      const { safe, bold } = rateFactors(exact, deterministicRatio, 1);
      expect(safe * learningRate).toBeLessThanOrEqual(solved * (1 + 1e-9));
      expect(bold * learningRate).toBeGreaterThanOrEqual(solved * (1 - 1e-9));
      const { batchSize } = boundedCriticalValues({
        ...{ learningRate, batchSize: 3 },
        kernel: { value: exact, standardError: 0 },
        deterministic: { value: deterministicRatio, standardError: 0 },
      });
      // Without replacement the noise ends at B = N, which only brings B* down: the upper end has to hold.
      const least = criticalBatchSize(system, { ...settings, learningRate }).value;
      expect(batchSize.value + 2 * batchSize.standardError).toBeGreaterThanOrEqual(least * (1 - 1e-9));
    }),
    { numRuns: 60 },
  );
});
