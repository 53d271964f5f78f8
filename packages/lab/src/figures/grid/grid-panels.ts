import * as Plot from "@observablehq/plot";
import type { DataTable } from "../figure.js";
import { mean } from "../numbers.js";
import type { Axis, LegendEntry, Panel } from "../plotting/sheet.js";
import { rampColour, type Theme } from "../plotting/theme.js";
import { lastOf, pointsOf, type GridResult } from "./run-grid.js";

/** One metric of several runs against the step, a colour for each learning rate. */
export function coursePanel(
  results: readonly GridResult[],
  key: string,
  { title, y, edge }: { readonly title: string; readonly y: Axis; readonly edge?: number },
  theme: Theme,
): Panel {
  const last = Math.max(...results.map(({ step }) => step));
  const [low, high] = y.domain;
  return {
    title,
    legend: results.map((run, i): LegendEntry => ({
      label: `η = ${run.learningRate}${run.status === "diverged" ? ", diverged" : ""}`,
      colour: rampColour(theme, i, results.length),
    })),
    x: { label: "step", type: "log", domain: [1, last] },
    y,
    marks: [
      ...(edge === undefined ? [] : [Plot.ruleY([edge], { stroke: theme.edge, strokeWidth: 1.3 })]),
      ...results.flatMap((run, i) => {
        const colour = rampColour(theme, i, results.length);
        const points = pointsOf(run, key).filter(([step]) => step >= 1);
        const inside = points.map(([step, value]) => [step, value <= high && value >= low ? value : NaN] as const);
        const beyond = points.filter(([, value]) => value > high);
        return [
          Plot.line(inside, { stroke: colour, strokeWidth: 2 }),
          Plot.dot(inside, { fill: colour, r: 2.4 }),
          Plot.dot(beyond, {
            x: ([step]: readonly [number, number]) => step,
            y: () => high,
            symbol: "triangle",
            fill: colour,
            r: 3.2,
          }),
        ];
      }),
    ],
  };
}

/**
 * A quantity of every run that did not diverge, against another: a colour for each batch size, and a line through the
 * geometric means of runs at one place.
 */
export function batchPanel(
  results: readonly GridResult[],
  pick: { readonly x: (run: GridResult) => number; readonly y: (run: GridResult) => number },
  options: { readonly title: string; readonly x: Axis; readonly y: Axis; readonly marks?: readonly Plot.Markish[] },
  theme: Theme,
  { joined = true, legend = [] }: { readonly joined?: boolean; readonly legend?: readonly LegendEntry[] } = {},
): Panel {
  const sizes = batchSizesOf(results);
  // A colour is a batch size's own, also where a panel shows nothing of another.
  const groups = sizes
    .map((size, i) => ({
      size,
      colour: rampColour(theme, i, sizes.length),
      points: settled(results)
        .filter(({ batchSize }) => batchSize === size)
        .map((run) => [pick.x(run), pick.y(run)] as [number, number])
        .filter((point) => point.every(Number.isFinite))
        .sort(([a], [b]) => a - b),
    }))
    .filter(({ points }) => points.length > 0);
  return {
    ...options,
    legend: [
      ...groups.map(({ size, colour }): LegendEntry => ({ label: `B = ${size}`, colour, symbol: "dot" })),
      ...legend,
    ],
    marks: [
      ...(options.marks ?? []),
      ...groups.flatMap(({ colour, points }) => [
        ...(joined
          ? [Plot.line(throughMeans(points), { stroke: colour, strokeWidth: 1.4, strokeOpacity: 0.7, clip: true })]
          : []),
        Plot.dot(points, { fill: colour, r: 3.2, clip: true }),
      ]),
    ],
  };
}

/** One point for all of equal x, in the order given. */
function throughMeans(points: readonly (readonly [number, number])[]): [number, number][] {
  const logs = new Map<number, number[]>();
  for (const [x, y] of points) logs.set(x, [...(logs.get(x) ?? []), Math.log(y)]);
  return [...logs].map(([x, values]) => [x, Math.exp(mean(values))]);
}

export const settled = (results: readonly GridResult[]): GridResult[] =>
  results.filter(({ status }) => status === "finished");

export const batchSizesOf = (results: readonly GridResult[]): number[] =>
  [...new Set(results.map(({ batchSize }) => batchSize))].sort((a, b) => a - b);

/** A logarithmic axis' ends: the extremes and a tenth of a decade beyond. */
export function logDomain(values: readonly number[]): [number, number] {
  const good = values.filter((value) => value > 0 && Number.isFinite(value));
  return [Math.min(...good) / 1.25, Math.max(...good) * 1.25];
}

/** Ticks of a logarithmic axis of less than three decades: 1, 2 and 5 times powers of ten. */
export function fineTicks([low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++) {
    for (const factor of [1, 2, 5]) {
      const tick = Number((factor * 10 ** exponent).toPrecision(6));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** The end of every run: settings, and the last value of each metric named. */
export function endsTable(results: readonly GridResult[], keys: readonly string[]): DataTable {
  return {
    learningRate: results.map(({ learningRate }) => learningRate),
    batchSize: results.map(({ batchSize }) => batchSize),
    seed: results.map(({ seed }) => seed),
    steps: results.map(({ step }) => step),
    status: results.map(({ status }) => status),
    ...Object.fromEntries(keys.map((key) => [key, results.map((run) => lastOf(run, key))])),
  };
}

/** Whole courses in long form: a row for each measurement. */
export function coursesTable(results: readonly GridResult[], keys: readonly string[]): DataTable {
  const rows = results.flatMap((run) => {
    const columns = keys.map((key) => new Map(pointsOf(run, key)));
    return [...(columns[0]?.keys() ?? [])].map((step) => ({
      run,
      step,
      values: columns.map((column) => column.get(step) ?? NaN),
    }));
  });
  return {
    learningRate: rows.map(({ run }) => run.learningRate),
    step: rows.map(({ step }) => step),
    ...Object.fromEntries(keys.map((key, i) => [key, rows.map(({ values }) => values[i]!)])),
  };
}
