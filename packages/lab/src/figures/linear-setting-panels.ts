import * as Plot from "@observablehq/plot";
import { worstDeviation } from "./course-over-seeds.js";
import type { Check, DataTable } from "./figure.js";
import type { SettingCase, SettingData } from "./linear-setting.js";
import { decimals, scientific } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import { rampColour, type Theme } from "./plotting/theme.js";

/** How a setting is written: `m = 0.9`. */
export type Naming = (value: number) => string;

/** Losses outside are drawn at these: beyond the edge they overflow, and with weight decay they vanish. */
const [floor, clip] = [1e-12, 10];
const clipped = (loss: number) => Math.min(clip, Math.max(floor, loss));
const lossDomain = (losses: readonly number[]): [number, number] => [
  10 ** Math.floor(Math.log10(Math.min(...losses.map(clipped)))),
  clip,
];

/** K against a learning rate in the unit that suits the setting. */
export function kernelPanel(
  { cases }: SettingData,
  theme: Theme,
  naming: Naming,
  x: { readonly label: string; readonly of: (learningRate: number, value: number) => number },
): Panel {
  const colour = (i: number) => rampColour(theme, i, cases.length);
  const curve = ({ edges, value }: SettingCase, key: "exact" | "diagonal") =>
    edges.map((edge) => [x.of(edge.learningRate, value), edge[key]] as [number, number]);
  return {
    title: "K against learning rate",
    legend: [
      ...cases.map(({ value }, i): LegendEntry => ({ label: naming(value), colour: colour(i) })),
      { label: "the paper’s K", colour: theme.mutedInk, symbol: "dashed" },
    ],
    x: { label: x.label, domain: [0, Math.max(...cases.flatMap((one) => curve(one, "exact").map(([at]) => at)))] },
    y: { label: "K (dimensionless)", domain: [0, 1.4] },
    marks: [
      Plot.ruleY([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...cases.flatMap((one, i) => [
        Plot.line(curve(one, "diagonal"), {
          ...{ stroke: colour(i), strokeWidth: 1.3, strokeDasharray: "5 3", clip: true },
        }),
        Plot.line(curve(one, "exact"), { stroke: colour(i), strokeWidth: 2.2, clip: true }),
      ]),
    ],
  };
}

/** Where each edge is met, against the setting itself. */
export function criticalPanel({ cases }: SettingData, theme: Theme, x: Panel["x"]): Panel {
  const [blue, orange, , , grey] = theme.series as [string, string, string, string, string];
  const curves = [
    ["exact", "K exact = 1", blue, "dot"],
    ["diagonal", "the paper’s K = 1", orange, "ring"],
    ["deterministic", "deterministic edge", grey, "triangle"],
  ] as const;
  const values = cases.flatMap(({ critical }) => Object.values(critical));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const wide = most > 10 * least;
  return {
    title: "Critical learning rate",
    legend: curves.map(([, label, colour, symbol]): LegendEntry => ({ label, colour, symbol })),
    x,
    y: {
      label: "critical η (1/curvature)",
      ...(wide
        ? { type: "log", domain: [10 ** Math.floor(Math.log10(least)), 10 ** Math.ceil(Math.log10(most))] }
        : { domain: [0, 1.1 * most] }),
    },
    marks: curves.flatMap(([key, , colour, symbol]) => {
      const points = cases.map(({ value, critical }) => ({ at: value, rate: critical[key] }));
      return [
        Plot.line(points, { x: "at", y: "rate", stroke: colour, strokeWidth: 1.3 }),
        Plot.dot(points, {
          ...{ x: "at", y: "rate", r: 3.6 },
          ...(symbol === "ring" ? { stroke: colour, strokeWidth: 1.6, fill: theme.background } : { fill: colour }),
          ...(symbol === "triangle" && { symbol: "triangle" as const }),
        }),
      ];
    }),
  };
}

/** Simulated and expected loss at the same small K. */
export function coursePanel({ cases, recordAt, problem }: SettingData, theme: Theme, naming: Naming): Panel {
  const colour = (i: number) => rampColour(theme, i, cases.length);
  const course = (losses: readonly number[]) =>
    recordAt.flatMap((step, k) => (step > 0 ? [[step, losses[k]!] as [number, number]] : []));
  return {
    title: "Loss against step, at the same K exact",
    legend: [
      ...cases.map(({ value, course: { learningRate } }, i): LegendEntry => ({
        label: `${naming(value)}, η = ${Number(learningRate.toPrecision(2))}`,
        colour: colour(i),
      })),
      { label: "exact expectation", colour: theme.ink, symbol: "dotted" },
    ],
    x: { label: "step", type: "log", domain: [1, problem.steps] },
    y: {
      label: "loss, ½ mean squared residual",
      type: "log",
      domain: lossDomain(cases.flatMap(({ course: { expectedLoss } }) => expectedLoss)),
    },
    marks: cases.flatMap(({ course: { meanLoss, expectedLoss } }, i) => [
      Plot.line(course(meanLoss), { stroke: colour(i), strokeWidth: 2.2, clip: true }),
      Plot.line(course(expectedLoss), { stroke: theme.ink, strokeWidth: 1.3, strokeDasharray: "1.5 3", clip: true }),
    ]),
  };
}

/** Expected loss after the last step against K exact: one edge for every value. */
export function finalPanel({ cases, problem }: SettingData, theme: Theme, naming: Naming): Panel {
  const colour = (i: number) => rampColour(theme, i, cases.length);
  const points = cases.map(({ finals }) => finals.map(({ k, loss }) => [k, clipped(loss)] as [number, number]));
  return {
    title: `Expected loss after ${problem.steps.toLocaleString("en-GB")} steps against K`,
    legend: cases.map(({ value }, i): LegendEntry => ({ label: naming(value), colour: colour(i), symbol: "dot" })),
    x: { label: "K exact (dimensionless)", domain: [0, 1.3] },
    y: {
      label: "loss, clipped to 10^{−12} … 10",
      type: "log",
      domain: [lossDomain(points.flat().map(([, loss]) => loss))[0], 1.6 * clip],
    },
    marks: [
      Plot.ruleX([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...points.flatMap((course, i) => [
        Plot.line(course, { stroke: colour(i), strokeWidth: 1.3, clip: true }),
        Plot.dot(course, { r: 3.2, fill: colour(i) }),
      ]),
    ],
  };
}

export function settingTables({ cases, recordAt }: SettingData, name: string): Record<string, DataTable> {
  const rows = <T>(
    list: (one: SettingCase) => readonly T[],
    columns: Record<string, (row: T, one: SettingCase, i: number) => number>,
  ) =>
    Object.fromEntries([
      [name, cases.flatMap((one) => list(one).map(() => one.value))],
      ...Object.entries(columns).map(([key, of]) => [
        key,
        cases.flatMap((one) => list(one).map((row, i) => of(row, one, i))),
      ]),
    ]) as DataTable;
  return {
    a: rows(({ edges }) => edges, {
      learningRate: (edge) => edge.learningRate,
      kExact: (edge) => edge.exact,
      kDiagonal: (edge) => edge.diagonal,
      kHighDim: (edge) => edge.highDim,
    }),
    b: rows(({ critical }) => [critical], {
      criticalExact: (critical) => critical.exact,
      criticalDiagonal: (critical) => critical.diagonal,
      deterministic: (critical) => critical.deterministic,
    }),
    c: rows(() => recordAt, {
      learningRate: (_, { course }) => course.learningRate,
      step: (step) => step,
      meanLoss: (_, { course }, k) => course.meanLoss[k]!,
      standardError: (_, { course }, k) => course.standardError[k]!,
      expectedLoss: (_, { course }, k) => course.expectedLoss[k]!,
    }),
    d: rows(({ finals }) => finals, {
      kExact: (final) => final.k,
      learningRate: (final) => final.learningRate,
      expectedLoss: (final) => final.loss,
    }),
  };
}

/** What holds of the linear model whatever the setting. */
export function settingChecks({ cases }: SettingData): Check[] {
  const farthest = Math.max(...cases.map(({ radiusAtEdge }) => Math.abs(radiusAtEdge - 1)));
  const ordered = cases.every(({ edges }) =>
    edges.every(({ highDim, diagonal, exact }) => highDim <= diagonal && diagonal <= exact),
  );
  const tightest = Math.min(...cases.flatMap(({ edges }) => edges.map(({ exact, diagonal }) => diagonal / exact)));
  const deviations = cases.map(({ course }) => worstDeviation(course, course.expectedLoss));
  const worst = Math.max(...deviations.map((one) => one.worst));
  const points = deviations.reduce((sum, one) => sum + one.points, 0);
  const start = cases[0]!.course.expectedLoss[0]!;
  const inside = cases.flatMap(({ finals }) => finals.filter(({ k }) => k <= 0.75).map(({ loss }) => loss / start));
  const beyond = cases.map(({ finals }) => finals.at(-1)!.loss / start);
  return [
    {
      claim: "at every value the exact second moment stops decaying where K exact = 1",
      measured: `|ρ − 1| ≤ ${scientific(farthest)}`,
      holds: farthest < 1e-8,
    },
    {
      claim: "K_highDim ≤ K_diagonal ≤ K_exact at every value and learning rate",
      measured: `K_diagonal/K_exact is ${decimals(tightest)} or more`,
      holds: ordered,
    },
    {
      claim: "simulation agrees with the exact expectation (5 standard errors)",
      measured: `largest deviation ${decimals(worst, 1)} standard errors over ${points} points`,
      holds: worst < 5,
    },
    {
      claim: "the loss falls inside K = 1 and rises beyond it, at every value",
      measured: `K ≤ 0.75: at most ${scientific(Math.max(...inside))} of the start; K = 1.2: at least ${scientific(Math.min(...beyond))}`,
      holds: Math.max(...inside) < 0.5 && Math.min(...beyond) > 1,
    },
  ];
}
