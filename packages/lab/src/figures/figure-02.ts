import * as Plot from "@observablehq/plot";
import { earlySharpening, type Difference, type EarlySharpening } from "./early-sharpening.js";
import type { Check, DataTable, Figure, FigureContext } from "./figure.js";
import { decimals } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import type { Theme } from "./plotting/theme.js";
import {
  expectedLambdaMax,
  initialKernels,
  quadraticCourses,
  recordedSteps,
  type InitialKernel,
  type QuadraticCourse,
  type QuadraticProblem,
} from "./quadratic-courses.js";
import { coursesTable, sharpnessPanel, topOf } from "./quadratic-panels.js";

/** One weighting of the random Q: its courses, and its first two steps. */
interface Weighted {
  readonly problem: QuadraticProblem;
  readonly courses: readonly QuadraticCourse[];
  readonly kernels: readonly InitialKernel[];
  readonly early: readonly EarlySharpening[];
}

export interface Figure02Data {
  readonly seed: number;
  readonly flat: Weighted;
  readonly scaled: Weighted;
}

const title = "Quadratic regression: small batches sharpen first and settle lower";
const weightings = { flat: "V = 1", scaled: "V = σ" } as const;

/** The paper's figure 2: conservative sharpening in the quadratic regression model. */
export const figure02: Figure<Figure02Data> = {
  number: 2,
  name: "figure-02",
  title,
  compute,
  sheet(data, theme) {
    const { problem } = data.flat;
    const top = Math.max(...[data.flat, data.scaled].map((each) => topOf(each.problem, each.courses)));
    return {
      title,
      subtitle: [
        `${problem.examples} examples, ${problem.params} parameters, random Q with entries of variance ${problem.curvature}² V, ` +
          `η = ${decimals(problem.learningRate)}; means over ${problem.seeds} seeds, bands of two standard errors.`,
        "V = σ weights the second derivatives towards the large modes. c, d: one (J, z), a quarter of the curvature, each Q paired with −Q.",
      ],
      columns: 2,
      panels: [
        sharpnessPanel({ title: "Sharpness against step, V = 1", top, ...data.flat }, theme),
        sharpnessPanel({ title: "Sharpness against step, V = σ", top, ...data.scaled }, theme),
        differencePanel(
          "Sharpening in the first step",
          "λ_{max} gain of step 1 (% of the start)",
          "first",
          data,
          theme,
        ),
        differencePanel("Change of pace in the second step", "second difference of λ_{max} (%)", "second", data, theme),
      ],
    };
  },
  tables,
  settings: ({ seed, flat, scaled }) => ({
    seed,
    problem: flat.problem,
    initialKernels: flat.kernels,
    diverged: {
      flat: flat.courses.map((course) => course.diverged),
      scaled: scaled.courses.map((course) => course.diverged),
    },
  }),
  checks,
};

async function compute({ quick, seed, parts, onProgress, signal }: FigureContext): Promise<Figure02Data> {
  const [examples, params] = quick ? [40, 50] : [100, 120];
  const name = `figure 2, ${seed}`;
  const shared = {
    ...{ examples, params, sampling: "without-replacement" as const },
    curvature: Number((1.6 / params).toPrecision(2)),
    // A tenth of the way to the deterministic edge: room to sharpen in.
    learningRate: (2 * 0.1) / expectedLambdaMax(examples, params),
    batchSizes: quick ? [3, 5, 10, 40] : [4, 8, 20, 100],
    steps: quick ? 200 : 400,
    seeds: quick ? 24 : 100,
  };
  const earlySizes = quick ? [2, 5, 10, 20, 40] : [2, 4, 8, 15, 30, 60, 100];
  const total = 2 * (shared.batchSizes.length + 1) * shared.seeds;
  let done = 0;
  const weighted = async (weighting: "flat" | "scaled"): Promise<Weighted> => {
    const problem: QuadraticProblem = { ...shared, weighting };
    const tick = () => onProgress({ label: weightings[weighting], done: ++done, total });
    const context = { parts, signal };
    onProgress({ label: weightings[weighting], done, total });
    const courses = await quadraticCourses(problem, name, context, tick);
    // The closed form is of second order in Q: a quarter of the curvature keeps the fourth order out of sight.
    const gentle = { ...problem, curvature: problem.curvature / 4 };
    const early = await earlySharpening(gentle, earlySizes, name, context, tick);
    return { problem, courses, kernels: initialKernels(problem, name), early };
  };
  return { seed, flat: await weighted("flat"), scaled: await weighted("scaled") };
}

function differencePanel(
  heading: string,
  label: string,
  key: "first" | "second",
  data: Figure02Data,
  theme: Theme,
): Panel {
  const series = (["flat", "scaled"] as const).map((weighting, i) => ({
    label: weightings[weighting],
    colour: theme.series[i]!,
    points: data[weighting].early.map((entry) => ({
      batchSize: entry.batchSize,
      at: entry.batchSize * (i === 0 ? 0.97 : 1.03), // side by side, so that error bars do not cover each other
      ...percent(entry[key]),
    })),
  }));
  const all = series.flatMap(({ points }) => points.flatMap(({ low, high, theory }) => [low, high, theory]));
  const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
  const pad = 0.06 * (most - least);
  const sizes = series[0]!.points.map(({ batchSize }) => batchSize);
  return {
    title: heading,
    legend: series.flatMap(({ label: name, colour }): LegendEntry[] => [
      { label: `${name}, closed form`, colour },
      { label: `${name}, Monte Carlo`, colour, symbol: "dot" },
    ]),
    x: {
      ...{ label: "batch size B (examples)", type: "log", domain: [sizes[0]! / 1.25, sizes.at(-1)! * 1.25] },
      ...{ ticks: sizes, tickFormat: String },
    },
    y: { label, domain: [least - pad, most + pad] },
    marks: [
      Plot.ruleY([0], { stroke: theme.axis, strokeWidth: 1 }),
      ...series.flatMap(({ points, colour }) => [
        Plot.line(points, { x: "batchSize", y: "theory", stroke: colour, strokeWidth: 2 }),
        Plot.ruleX(points, { x: "at", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.5 }),
        Plot.dot(points, { x: "at", y: "mean", fill: colour, r: 3.4 }),
      ]),
    ],
  };
}

const percent = ({ mean, standardError, theory }: Difference) => ({
  ...{ mean: 100 * mean, theory: 100 * theory },
  ...{ low: 100 * (mean - 2 * standardError), high: 100 * (mean + 2 * standardError) },
});

function tables({ flat, scaled }: Figure02Data): Record<string, DataTable> {
  const differences = (key: "first" | "second"): DataTable => {
    const rows = [flat, scaled].flatMap(({ problem, early }) =>
      early.map((entry) => ({ weighting: problem.weighting, batchSize: entry.batchSize, ...entry[key] })),
    );
    return {
      weighting: rows.map(({ weighting }) => weighting),
      batchSize: rows.map(({ batchSize }) => batchSize),
      meanRelativeChange: rows.map(({ mean }) => mean),
      standardError: rows.map(({ standardError }) => standardError),
      theory: rows.map(({ theory }) => theory),
    };
  };
  return {
    a: coursesTable(flat.problem, flat.courses),
    b: coursesTable(scaled.problem, scaled.courses),
    c: differences("first"),
    d: differences("second"),
  };
}

function checks({ flat, scaled }: Figure02Data): Check[] {
  return [flat, scaled].flatMap(({ problem, courses, early }): Check[] => {
    const name = weightings[problem.weighting];
    const [smallest, largest] = [courses[0]!, courses.at(-1)!];
    const steps = recordedSteps(problem);
    const gain = ({ lambdaMax }: QuadraticCourse, k: number) => lambdaMax[k]! / lambdaMax[0]! - 1;
    const two = steps.indexOf(2);
    const last = steps.length - 1;
    const ends = courses.map((course) => gain(course, last));
    const firsts = early.map(({ first }) => first.theory);
    const seconds = early.map(({ second }) => second.theory);
    const deviation = (key: "first" | "second") =>
      Math.max(...early.map((entry) => Math.abs(entry[key].mean - entry[key].theory) / entry[key].standardError));
    const asPercent = (value: number) => `${decimals(100 * value, 1)} %`;
    return [
      {
        claim: `${name}: a small batch sharpens more at first`,
        measured: `after 2 steps ${asPercent(gain(smallest, two))} at B = ${smallest.batchSize}, ${asPercent(gain(largest, two))} at full batch`,
        holds: gain(smallest, two) > gain(largest, two),
      },
      {
        claim: `${name}: and ends less sharp`,
        measured: `after ${steps[last]} steps ${asPercent(ends[0]!)} at B = ${smallest.batchSize}, ${asPercent(ends.at(-1)!)} at full batch`,
        holds: ends[0]! < ends.at(-1)!,
      },
      {
        claim: `${name}: the first step's sharpening falls with the batch size, in closed form`,
        measured: `${asPercent(firsts[0]!)} to ${asPercent(firsts.at(-1)!)}`,
        holds: firsts.every((value, i) => i === 0 || value < firsts[i - 1]!),
      },
      {
        claim: `${name}: noise takes back progressive sharpening (the second difference rises with the batch size)`,
        measured: `${decimals(100 * seconds[0]!, 3)} % to ${decimals(100 * seconds.at(-1)!, 3)} %`,
        holds: seconds.every((value, i) => i === 0 || value > seconds[i - 1]!),
      },
      {
        claim: `${name}: Monte Carlo agrees with the closed form (4 standard errors)`,
        measured: `largest deviation ${decimals(deviation("first"), 1)} (first), ${decimals(deviation("second"), 1)} (second)`,
        holds: deviation("first") < 4 && deviation("second") < 4,
      },
    ];
  });
}
