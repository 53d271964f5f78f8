import * as Plot from "@observablehq/plot";
import type { Difference, EarlySharpening } from "./early-sharpening.js";
import type { Check, DataTable } from "./figure.js";
import { decimals } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import type { Theme } from "./plotting/theme.js";
import { weightings, type Sharpened } from "./sharpened.js";

/** One weighting's early sharpening, for a panel that may show several. */
export interface DifferenceSeries {
  readonly label: string;
  readonly colour: string;
  readonly early: readonly EarlySharpening[];
}

/** A difference of λ_max in the first two steps against batch size: the closed form as a line, Monte Carlo as dots. */
export function differencePanel(key: "first" | "second", given: readonly DifferenceSeries[], theme: Theme): Panel {
  const series = given.map(({ label, colour, early }, i) => ({
    label,
    colour,
    points: early.map((entry) => ({
      batchSize: entry.batchSize,
      at: entry.batchSize * 1.06 ** (i - (given.length - 1) / 2), // side by side, so that error bars do not cover each other
      ...percent(entry[key]),
    })),
  }));
  const all = series
    .flatMap(({ points }) => points.flatMap(({ low, high, theory }) => [low, high, theory]))
    .filter(Number.isFinite);
  const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
  const pad = 0.06 * (most - least || 1);
  const sizes = series[0]!.points.map(({ batchSize }) => batchSize);
  return {
    title: key === "first" ? "Sharpening in the first step" : "Change of pace in the second step",
    legend: series.flatMap(({ label, colour }): LegendEntry[] => [
      { label: `${label}, closed form`, colour },
      { label: `${label}, Monte Carlo`, colour, symbol: "dot" },
    ]),
    x: {
      ...{ label: "batch size B (examples)", type: "log", domain: [sizes[0]! / 1.25, sizes.at(-1)! * 1.25] },
      ...{ ticks: sizes, tickFormat: String },
    },
    y: {
      label:
        key === "first"
          ? "λ_{max} gain of step 1 (10⁻⁵ of the start)"
          : "second difference of λ_{max} (10⁻⁵ of the start)",
      domain: [least - pad, most + pad],
    },
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
  ...{ mean: 1e5 * mean, theory: 1e5 * theory },
  ...{ low: 1e5 * (mean - 2 * (standardError || 0)), high: 1e5 * (mean + 2 * (standardError || 0)) },
});

/** The same in long form. */
export function differenceTable(key: "first" | "second", given: readonly Sharpened[]): DataTable {
  const rows = given.flatMap(({ problem, early }) =>
    early.map((entry) => ({ weighting: problem.weighting, batchSize: entry.batchSize, ...entry[key] })),
  );
  return {
    weighting: rows.map(({ weighting }) => weighting),
    batchSize: rows.map(({ batchSize }) => batchSize),
    meanRelativeChange: rows.map(({ mean }) => mean),
    standardError: rows.map(({ standardError }) => standardError),
    theory: rows.map(({ theory }) => theory),
  };
}

/** Monte Carlo and closed form agree. Four standard errors: a correct pair misses once in thousands of seeds. */
export function agreementCheck({ problem, early }: Sharpened): Check {
  const deviation = (key: "first" | "second") =>
    Math.max(...early.map((entry) => Math.abs(entry[key].mean - entry[key].theory) / entry[key].standardError));
  return {
    claim: `${weightings[problem.weighting]}: Monte Carlo agrees with the closed form (4 standard errors)`,
    measured: `largest deviation ${decimals(deviation("first"), 1)} (first), ${decimals(deviation("second"), 1)} (second)`,
    holds: deviation("first") < 4 && deviation("second") < 4,
  };
}
