import * as Plot from "@observablehq/plot";
import { worstDeviation } from "./course-over-seeds.js";
import type { Check, Figure } from "./figure.js";
import { lossCurves, sampling, type LossCurvesData, type OverSystems, type SizeCase } from "./loss-curves.js";
import { decimals } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import type { Theme } from "./plotting/theme.js";

type Approximation = "volterra" | "diagonal";

const title = "The Volterra equation and the diagonal dynamics approach the exact expectation as the problem grows";

/** Loss curves of the theory against each other and against simulation. */
export const figure07: Figure<LossCurvesData> = {
  number: 7,
  name: "figure-07",
  title,
  compute: lossCurves,
  sheet: (data, theme) => ({
    title,
    subtitle: [
      "Linear regression, i.i.d. Gaussian Jacobian with P/N = 1.2, batches of a tenth of the examples, without replacement.",
      `a and b: ${data.shown.examples} examples, ${data.problem.seeds} seeds. c and d: means over ${data.problem.systems} random systems, ± 2 standard errors.`,
    ],
    columns: 2,
    panels: [coursePanel(data, theme), ratioPanel(data, theme), deviationPanel(data, theme), kernelPanel(data, theme)],
  }),
  tables: ({ recordAt, shown, sizes }) => ({
    a: {
      step: recordAt,
      meanLoss: shown.meanLoss,
      standardError: shown.standardError,
      expectedLoss: shown.exact,
      volterraLoss: shown.volterra,
      diagonalLoss: shown.diagonal,
    },
    c: columns(sizes, ["volterraDeviation", "diagonalDeviation"]),
    d: columns(sizes, ["highDimRatio", "diagonalRatio"]),
  }),
  settings: ({ problem, shown }) => ({
    ...{ ...problem, sampling },
    ...{ examplesShown: shown.examples, kExactShown: shown.kExact, learningRateShown: shown.learningRate },
  }),
  checks,
};

function columns(sizes: readonly SizeCase[], keys: readonly (keyof Omit<SizeCase, "examples">)[]) {
  return Object.fromEntries([
    ["examples", sizes.map(({ examples }) => examples)],
    ...keys.flatMap((key) => [
      [key, sizes.map((size) => size[key].mean)],
      [`${key}StandardError`, sizes.map((size) => size[key].standardError)],
    ]),
  ]) as Record<string, number[]>;
}

const names: Readonly<Record<Approximation, string>> = {
  volterra: "Volterra (high-dimensional)",
  diagonal: "diagonal (the paper’s dynamics)",
};

function curveColours(theme: Theme): Record<"simulated" | "exact" | Approximation, string> {
  const [simulated, exact, volterra, diagonal] = theme.series as [string, string, string, string];
  return { simulated, exact, volterra, diagonal };
}

function courseLegend(theme: Theme): LegendEntry[] {
  const colours = curveColours(theme);
  return [
    { label: "mean over seeds, ± 2 standard errors", colour: colours.simulated },
    { label: "exact expectation", colour: colours.exact },
    { label: names.volterra, colour: colours.volterra, symbol: "dashed" },
    { label: names.diagonal, colour: colours.diagonal, symbol: "dotted" },
  ];
}

function coursePanel(data: LossCurvesData, theme: Theme): Panel {
  const { shown } = data;
  const all = [...shown.meanLoss, ...shown.exact];
  return {
    title: `Loss against step, K_{exact} = ${decimals(shown.kExact)}`,
    legend: courseLegend(theme),
    x: { label: "step", type: "log", domain: [1, data.problem.steps] },
    y: {
      label: "loss, ½ mean squared residual",
      type: "log",
      domain: [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all)))],
    },
    marks: courseMarks(data, theme, (loss) => loss),
  };
}

function ratioPanel(data: LossCurvesData, theme: Theme): Panel {
  const { shown, recordAt } = data;
  const reach = Math.max(
    ...recordAt.flatMap((_, k) =>
      [shown.volterra[k]!, shown.diagonal[k]!, shown.meanLoss[k]! + 2 * shown.standardError[k]!].map((loss) =>
        Math.abs(loss / shown.exact[k]! - 1),
      ),
    ),
  );
  const even = Math.ceil(22 * reach) / 20;
  return {
    title: "The same over the exact expectation",
    legend: courseLegend(theme),
    x: { label: "step", type: "log", domain: [1, data.problem.steps] },
    y: { label: "ratio (dimensionless)", domain: [1 - even, 1 + even] },
    marks: courseMarks(data, theme, (loss, k) => loss / shown.exact[k]!),
  };
}

function courseMarks({ shown, recordAt }: LossCurvesData, theme: Theme, of: (loss: number, k: number) => number) {
  const colours = curveColours(theme);
  const rows = recordAt.map((step, k) => ({ step, k })).filter(({ step }) => step > 0);
  const line = (losses: readonly number[]) => rows.map(({ step, k }) => [step, of(losses[k]!, k)] as [number, number]);
  const band = rows.map(({ step, k }) => ({
    step,
    low: of(Math.max(shown.meanLoss[k]! - 2 * shown.standardError[k]!, shown.meanLoss[k]! / 10), k),
    high: of(shown.meanLoss[k]! + 2 * shown.standardError[k]!, k),
  }));
  return [
    Plot.areaY(band, { x: "step", y1: "low", y2: "high", fill: colours.simulated, fillOpacity: 0.2, clip: true }),
    Plot.line(line(shown.exact), { stroke: colours.exact, strokeWidth: 1.7, clip: true }),
    Plot.line(line(shown.meanLoss), { stroke: colours.simulated, strokeWidth: 2.2, clip: true }),
    Plot.line(line(shown.volterra), { stroke: colours.volterra, strokeWidth: 1.7, strokeDasharray: "5 3", clip: true }),
    Plot.line(line(shown.diagonal), {
      stroke: colours.diagonal,
      strokeWidth: 1.7,
      strokeDasharray: "1.5 3",
      clip: true,
    }),
  ];
}

function deviationPanel({ sizes, problem }: LossCurvesData, theme: Theme): Panel {
  const colours = curveColours(theme);
  const series = [
    { key: "volterraDeviation", colour: colours.volterra, label: names.volterra },
    { key: "diagonalDeviation", colour: colours.diagonal, label: names.diagonal },
  ] as const;
  const ends = series.flatMap(({ key }) => sizes.flatMap((size) => ends95(size[key])));
  return {
    title: `Largest relative error of the loss curve, K_{exact} = ${problem.scanKernel}`,
    legend: series.map(({ label, colour }): LegendEntry => ({ label, colour, symbol: "dot" })),
    x: sizeAxis(sizes),
    y: {
      label: "max_{t} |loss/exact − 1| (dimensionless)",
      type: "log",
      domain: [10 ** Math.floor(Math.log10(Math.min(...ends))), 10 ** Math.ceil(Math.log10(Math.max(...ends)))],
    },
    marks: series.flatMap(({ key, colour }) => sizeMarks(sizes, key, colour)),
  };
}

function kernelPanel({ sizes, problem }: LossCurvesData, theme: Theme): Panel {
  const colours = curveColours(theme);
  const series = [
    { key: "highDimRatio", colour: colours.volterra, label: "K high-dimensional/K exact" },
    { key: "diagonalRatio", colour: colours.diagonal, label: "K diagonal (the paper’s K)/K exact" },
  ] as const;
  return {
    title: `The approximate norms over the exact one, K_{exact} = ${problem.scanKernel}`,
    legend: series.map(({ label, colour }): LegendEntry => ({ label, colour, symbol: "dot" })),
    x: sizeAxis(sizes),
    y: { label: "ratio (dimensionless)", domain: [0.5, 1.05] },
    marks: [
      Plot.ruleY([1], { stroke: theme.axis, strokeWidth: 1.3 }),
      ...series.flatMap(({ key, colour }) => sizeMarks(sizes, key, colour)),
    ],
  };
}

const ends95 = ({ mean, standardError }: OverSystems) => [
  Math.max(mean - 2 * standardError, mean / 10),
  mean + 2 * standardError,
];

function sizeAxis(sizes: readonly SizeCase[]): Panel["x"] {
  const examples = sizes.map((size) => size.examples);
  return {
    label: "examples N",
    type: "log",
    domain: [examples[0]! / 1.3, examples.at(-1)! * 1.3],
    ticks: examples,
    tickFormat: String,
  };
}

function sizeMarks(sizes: readonly SizeCase[], key: keyof Omit<SizeCase, "examples">, colour: string): Plot.Markish[] {
  const points = sizes.map((size) => {
    const [low, high] = ends95(size[key]);
    return { examples: size.examples, value: size[key].mean, low, high };
  });
  return [
    Plot.line(points, { x: "examples", y: "value", stroke: colour, strokeWidth: 1.6 }),
    Plot.link(points, { x: "examples", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.6 }),
    Plot.dot(points, { x: "examples", y: "value", r: 3.4, fill: colour }),
  ];
}

function checks({ sizes, shown }: LossCurvesData): Check[] {
  const { worst, points } = worstDeviation(shown, shown.exact);
  const [small, large] = [sizes[0]!, sizes.at(-1)!];
  const falls = (key: "volterraDeviation" | "diagonalDeviation") =>
    ends95(large[key])[1]! < small[key].mean - 2 * small[key].standardError;
  const rises = (key: "highDimRatio" | "diagonalRatio") =>
    large[key].mean - 2 * large[key].standardError > small[key].mean + 2 * small[key].standardError;
  const course = (key: keyof Omit<SizeCase, "examples">) =>
    `${decimals(small[key].mean, 3)} ± ${decimals(2 * small[key].standardError, 3)} at N = ${small.examples}, ` +
    `${decimals(large[key].mean, 3)} ± ${decimals(2 * large[key].standardError, 3)} at ${large.examples}`;
  return [
    {
      claim: "simulation agrees with the exact expectation (5 standard errors)",
      measured: `largest deviation ${decimals(worst, 1)} standard errors over ${points} points`,
      holds: worst < 5,
    },
    {
      claim: "the Volterra curve approaches the exact one as the problem grows",
      measured: `largest relative error ${course("volterraDeviation")}`,
      holds: falls("volterraDeviation"),
    },
    {
      claim: "so do the diagonal dynamics",
      measured: `largest relative error ${course("diagonalDeviation")}`,
      holds: falls("diagonalDeviation"),
    },
    {
      claim: "both approximate norms approach K exact from below",
      measured: `K_highDim/K_exact ${course("highDimRatio")}; K_diagonal/K_exact ${course("diagonalRatio")}`,
      holds: rises("highDimRatio") && rises("diagonalRatio") && large.diagonalRatio.mean <= 1,
    },
  ];
}
