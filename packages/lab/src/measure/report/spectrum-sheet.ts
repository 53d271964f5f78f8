import * as Plot from "@observablehq/plot";
import type { Axis, LegendEntry, Sheet } from "../../figures/plotting/sheet.js";
import type { Theme } from "../../figures/plotting/theme.js";
import { number } from "../../advice/measured.js";
import type { MeasureReport } from "../report-data.js";

/** Eigenvalues a bin of one broadening's width: what is drawn, so that one eigenvalue is seen as about one. */
const least = 0.01;

/** The spectrum of the Hessian: how many eigenvalues lie where, with the deterministic edge. */
export function spectrumSheet({ spectrum, deterministic }: MeasureReport, theme: Theme): Sheet {
  const { grid, density, standardError, size, width } = spectrum;
  const count = density.map((value) => value * size * width);
  const reach = standardError.map((error) => (Number.isFinite(error) ? 2 * error * size * width : 0));
  const points = grid.map((eigenvalue, i) => ({
    eigenvalue,
    count: Math.max(least, count[i]!),
    low: Math.max(least, count[i]! - reach[i]!),
    high: Math.max(least, count[i]! + reach[i]!),
  }));
  const { edge, lambdaMax } = deterministic;
  const isNear = edge < 3 * lambdaMax.value;
  const right = Math.max(grid.at(-1)!, 1.08 * lambdaMax.value, isNear ? 1.08 * edge : 0);
  const blue = theme.series[0]!;
  const legend: LegendEntry[] = [
    { label: "eigenvalues, ± 2 standard errors", colour: blue },
    { label: `λ_{max} = ${number(lambdaMax.value)}`, colour: theme.series[1]!, symbol: "dashed" },
    ...(isNear ? [{ label: `deterministic edge, ${number(edge)}`, colour: theme.edge } as const] : []),
  ];
  const y: Axis = {
    label: `eigenvalues within ${number(width, 2)}`,
    type: "log",
    domain: [least, 10 ** Math.ceil(Math.log10(Math.max(1, ...points.map(({ high }) => high))))],
  };
  return {
    title: "Spectrum of the Hessian",
    subtitle: [`${spectrum.description}.`],
    columns: 1,
    panelWidth: 640,
    panels: [
      {
        title: "Eigenvalues",
        legend,
        x: { label: "eigenvalue λ (1/learning rate)", domain: [Math.min(0, grid[0]!), right] },
        y,
        marks: [
          Plot.areaY(points, { x: "eigenvalue", y1: "low", y2: "high", fill: blue, fillOpacity: 0.25, clip: true }),
          Plot.line(points, { x: "eigenvalue", y: "count", stroke: blue, strokeWidth: 1.8, clip: true }),
          Plot.ruleX([lambdaMax.value], { stroke: theme.series[1]!, strokeWidth: 1.5, strokeDasharray: "5 3" }),
          ...(isNear ? [Plot.ruleX([edge], { stroke: theme.edge, strokeWidth: 1.5 })] : []),
        ],
      },
    ],
  };
}
