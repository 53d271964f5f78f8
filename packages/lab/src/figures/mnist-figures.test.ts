import { JSDOM } from "jsdom";
import { describe, expect, test } from "vitest";
import type { SweepPlan } from "../sweep/plan.js";
import { epochsFor, figure05, type Figure05Data } from "./figure-05.js";
import { figure03, type Figure03Data } from "./figure-03.js";
import { figure04, type Figure04Data } from "./figure-04.js";
import type { Figure, FigureContext } from "./figure.js";
import type { GridResult, Series } from "./grid/run-grid.js";
import { noParts } from "./parts.js";
import { drawSheet } from "./plotting/sheet.js";
import { darkTheme, lightTheme } from "./plotting/theme.js";

// Figures 3 to 5 without their training: data made to obey the claims, and data made to violate one at a time.

type Courses = Readonly<Record<string, readonly number[]>>;

function result(settings: { learningRate: number; batchSize?: number; seed?: number }, courses: Courses): GridResult {
  const steps = [0, 10, 100, 1000];
  const series: Record<string, Series> = {};
  for (const [key, values] of Object.entries(courses)) series[key] = { steps: steps.slice(-values.length), values };
  return { batchSize: 1, seed: 1, ...settings, status: "finished", step: 1000, series };
}

const kernels = (exact: readonly number[]): Courses => ({
  "noiseKernel/exact": exact,
  "noiseKernel/exact/standardError": exact.map((k) => 0.1 * k),
  "noiseKernel/diagonal": exact.map((k) => 0.6 * k),
});

const verdicts = <Data>(figure: Figure<Data>, data: Data) => figure.checks(data).map(({ holds }) => holds);

function three(courses: Partial<Record<number, Courses>> = {}): Figure03Data {
  const usual: Record<number, Courses> = {
    0.001: { "loss/train": [1, 0.9, 0.7, 0.5], ...kernels([0.3, 0.3, 0.2, 0.2]) },
    0.01: { "loss/train": [1, 0.5, 0.2, 0.1], ...kernels([2, 1.5, 0.8, 0.6]) },
    0.03: { "loss/train": [1, 0.8, 0.5, 0.2], ...kernels([5, 3, 2, 1.1]) },
  };
  const runs = Object.entries(usual).map(([rate, own]) => {
    const learningRate = Number(rate);
    return result({ learningRate }, { "edge/deterministic": [0.2, 0.3, 0.3, 0.3], ...own, ...courses[learningRate] });
  });
  return { examples: 500, widths: [128, 128], steps: 1000, probeExamples: 64, runs };
}

/** λ_max at the end: 2/η or 64 at B = 256, a function of η/B at B ≤ 4. */
function four(sharpness?: (learningRate: number, batchSize: number) => number): Figure04Data {
  const usual = (learningRate: number, batchSize: number) =>
    batchSize === 256 ? Math.min(2 / learningRate, 64 - learningRate) : 0.8 * (learningRate / batchSize) ** -0.5;
  const runs = [1, 2, 4, 256].flatMap((batchSize) =>
    [0.01, 0.02, 0.04, 0.08].map((learningRate) => {
      const value = (sharpness ?? usual)(learningRate, batchSize);
      const courses = {
        sharpness: [value, value],
        "edge/deterministic": [(value * learningRate) / 2],
        "loss/train": [0.1],
      };
      return result({ learningRate, batchSize }, { ...courses, ...kernels([learningRate / batchSize]) });
    }),
  );
  return { examples: 256, widths: [64, 64], time: 60, runs };
}

interface Run {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly seed: number;
}
/** Some order of its own, another for each seed: λ_max as no predictor. */
const scattered = ({ learningRate, batchSize, seed }: Run) =>
  20 + 10 * Math.sin(1234.5 * seed + 777.7 * batchSize + 98765 * learningRate);

function five(
  own: { k?: (run: Run) => number; loss?: (run: Run) => number; sharpness?: (run: Run) => number } = {},
): Figure05Data {
  const k = own.k ?? (({ learningRate, batchSize }: Run) => (40 * learningRate) / batchSize);
  const loss = own.loss ?? k;
  const sharpness = own.sharpness ?? scattered;
  const runs = [1, 2, 3, 4, 5].flatMap((seed) =>
    [1, 2, 4].flatMap((batchSize) =>
      [0.005, 0.01, 0.02, 0.04].map((learningRate) => {
        const run = { learningRate, batchSize, seed };
        const value = sharpness(run);
        const courses = {
          "loss/train": [loss(run)],
          sharpness: [value],
          "edge/deterministic": [(learningRate * value) / 2],
        };
        return result(run, { ...courses, ...kernels([k(run)]) });
      }),
    ),
  );
  return { examples: 256, widths: [64, 64], epochs: 47, runs };
}

describe("every check holds for data that obey its claim, and fails for data that violate it", () => {
  test("figure 3", () => {
    expect(verdicts(figure03, three())).toEqual([true, true, true, true, true]);
    const change = (learningRate: number, courses: Courses) => verdicts(figure03, three({ [learningRate]: courses }));
    expect(change(0.001, kernels([0.3, 0.6, 0.2, 0.2]))[0]).toBe(false); // K large at small η
    expect(change(0.001, { "loss/train": [1, 0.9, 0.7, 0.15] })[0]).toBe(false); // its loss not the highest
    expect(change(0.01, kernels([2, 1.5, 0.8, 0.95]))[1]).toBe(false); // does not settle below
    expect(change(0.03, kernels([5, 3, 0.9, 0.8]))[2]).toBe(false); // large η: below 1 as soon
    expect(change(0.03, { "loss/train": [1, 0.4, 0.3, 0.2] })[3]).toBe(false); // and the loss falls faster
    expect(change(0.01, { "noiseKernel/diagonal": [2.1, 1, 0.5, 0.5] })[4]).toBe(false); // K_diagonal > K_exact
  });

  test("figure 4", () => {
    expect(verdicts(figure04, four())).toEqual([true, true, true, true]);
    const usual = (learningRate: number, batchSize: number) => {
      const { runs } = four();
      const run = runs.find((each) => each.learningRate === learningRate && each.batchSize === batchSize)!;
      return run.series["sharpness"]!.values[0]!;
    };
    const change = (sharpness: (learningRate: number, batchSize: number) => number) =>
      verdicts(figure04, four(sharpness));
    expect(change((eta, size) => usual(eta, size) * (size === 256 && eta === 0.08 ? 0.85 : 1))[0]).toBe(false);
    expect(change((eta, size) => (size === 256 ? 20 - eta : usual(eta, size)))[0]).toBe(false); // no edge to follow
    expect(change((eta, size) => (size === 256 ? usual(eta, size) : 0.8 * eta ** -0.5))[1]).toBe(false); // on η
    expect(change((eta, size) => usual(eta, size) * (size < 5 ? size : 1))[1]).toBe(false); // wide at equal η/B
    expect(change((eta, size) => usual(eta, size) * (size < 5 ? 10 : 1))[2]).toBe(false); // at 2/η
    expect(change((eta, size) => (size === 2 ? 1 / usual(eta, size) : usual(eta, size)))[3]).toBe(false); // rises
  });

  test("figure 5", () => {
    expect(verdicts(figure05, five())).toEqual([true, true, true, true, true]);
    const onRate = verdicts(figure05, five({ k: ({ learningRate }) => 40 * learningRate }));
    expect(onRate.slice(0, 2)).toEqual([false, false]);
    expect(verdicts(figure05, five({ k: ({ learningRate, batchSize }) => batchSize / learningRate }))[2]).toBe(false);
    expect(verdicts(figure05, five({ loss: scattered })).slice(3)).toEqual([false, false]);
    // λ_max η/2 in the order of the loss, K in none.
    const byEdge = five({ sharpness: () => 20, loss: ({ learningRate }) => learningRate, k: scattered });
    expect(verdicts(figure05, byEdge)[4]).toBe(false);
    // One seed says nothing of how sure it is.
    const { runs, ...rest } = five();
    expect(verdicts(figure05, { ...rest, runs: runs.filter(({ seed }) => seed === 1) })).not.toContain(true);
  });
});

test("a lead that changes with the seed is no lead", () => {
  const quotient = ({ learningRate, batchSize }: Run) => learningRate / batchSize;
  const data = five({
    loss: quotient,
    k: (run) => (run.seed <= 3 ? quotient(run) : scattered(run)),
    sharpness: (run) => (run.seed <= 3 ? scattered(run) : quotient(run)),
  });
  const check = figure05.checks(data)[3]!;
  expect(check.holds).toBe(false);
  expect(check.measured).toMatch(/K exact is ahead by 0\.\d\d \[−\d\.\d\d, \d\.\d\d\] over 5 seeds/);
});

test("figure 5's length is that of figure 4 at the middle η/B", () => {
  expect(epochsFor(60, 256, 0.005)).toBe(47);
  expect(47 * 256 * 0.005).toBeCloseTo(60, 0);
});

describe("pictures", () => {
  const cases: [string, (theme: typeof lightTheme) => string, number][] = [
    ["3", (theme) => drawSheet(figure03.sheet(three(), theme), theme), 4],
    ["4", (theme) => drawSheet(figure04.sheet(four(), theme), theme), 4],
    ["5", (theme) => drawSheet(figure05.sheet(five(), theme), theme), 6],
  ];
  test.each(cases)(
    "figure %s: every panel has labelled axes with units and a legend, alike in light and dark",
    (_, draw, count) => {
      const panelsOf = (svg: string) => {
        const { document } = new JSDOM(svg, { contentType: "image/svg+xml" }).window;
        return [...document.querySelectorAll("[data-panel]")].map((panel) =>
          [...panel.querySelectorAll("text")].map(({ textContent }) => textContent),
        );
      };
      const [light, dark] = [draw(lightTheme), draw(darkTheme)];
      expect(light).not.toMatch(/NaN|undefined/);
      const panels = panelsOf(light);
      expect(panels).toHaveLength(count);
      expect(panelsOf(dark)).toEqual(panels);
      for (const texts of panels) {
        expect(texts.filter((text) => /^(η|B) = /.test(text)).length).toBeGreaterThanOrEqual(3);
        expect(
          texts.filter((text) => /loss|dimensionless|1\/η|step|η\/B|learning rate/.test(text)).length,
        ).toBeGreaterThan(1);
      }
    },
  );
});

test("what lies beyond a panel is marked at its edge: K is ∞ where the deterministic edge is crossed", () => {
  const triangles = (data: Figure03Data) => {
    const svg = drawSheet(figure03.sheet(data, lightTheme), lightTheme);
    const { document } = new JSDOM(svg, { contentType: "image/svg+xml" }).window;
    // A dot that is no circle.
    return document.querySelectorAll("[data-panel=b] path[transform][d$=Z]").length;
  };
  expect(triangles(three())).toBe(0);
  expect(triangles(three({ 0.03: kernels([Infinity, Infinity, 2, 1.1]) }))).toBe(1); // step 0 has no place on the axis
});

test("every tick that is asked for has its label", () => {
  const svg = drawSheet(figure03.sheet(three(), lightTheme), lightTheme);
  const { document } = new JSDOM(svg, { contentType: "image/svg+xml" }).window;
  const texts = [...document.querySelectorAll("[data-panel=b] text")].map(({ textContent }) => textContent);
  expect(texts).toEqual(expect.arrayContaining(["0.1", "0.2", "0.5", "1", "2", "5"]));
});

test("a panel names the batch sizes that it shows, each in its own colour", () => {
  const { panels } = figure04.sheet(four(), lightTheme);
  const legends = panels.map(({ legend }) => new Map(legend!.map(({ label, colour }) => [label, colour])));
  expect([...legends[0]!.keys()]).toEqual(["B = 1", "B = 2", "B = 4", "B = 256", "2/η"]);
  const kernelsOf = {
    ...four(),
    runs: four().runs.map((run) =>
      run.batchSize < 256 ? run : { ...run, series: { ...run.series, ...result(run, kernels([0])).series } },
    ),
  };
  const own = figure04.sheet(kernelsOf, lightTheme).panels[2]!.legend!;
  expect(own.map(({ label }) => label)).toEqual(["B = 1", "B = 2", "B = 4"]);
  for (const { label, colour } of own) expect(colour).toBe(legends[0]!.get(label));
});

test("each figure asks for one sweep, whose runs carry its settings and all probes", async () => {
  const plans: SweepPlan[] = [];
  const context: FigureContext = {
    ...{ quick: true, seed: 3, parts: noParts, onProgress: () => undefined },
    sweep: (plan) => {
      plans.push(plan);
      return Promise.reject(new Error("planned"));
    },
  };
  for (const figure of [figure03, figure04, figure05]) {
    await expect(figure.compute(context)).rejects.toThrow("planned");
    await expect(figure.compute({ ...context, quick: false })).rejects.toThrow("planned");
  }
  expect(plans.map(({ name, runs }) => [name, runs.length])).toEqual([
    ["figure-03-quick", 5],
    ["figure-03", 7],
    ["figure-04-quick", 40],
    ["figure-04", 60],
    ["figure-05-quick", 160],
    ["figure-05", 245],
  ]);
  for (const { vectorise, runs } of plans) {
    expect(vectorise).toBe(false);
    for (const { config } of runs) expect(config.probes.measure).toEqual(["loss", "sharpness", "noiseKernel"]);
  }
  for (const { config } of plans[2]!.runs) expect(config.steps * config.learningRate).toBeCloseTo(60, 0);
  for (const { config } of plans[4]!.runs) expect(config.steps * config.batchSize).toBe(47 * 256);
  expect(new Set(plans[4]!.runs.map(({ config }) => config.seed))).toEqual(new Set([3, 4, 5, 6, 7]));
});
