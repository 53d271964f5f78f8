import { rampColour, type Axis, type LegendEntry, type Panel, type Theme } from "@sedge/lab/figures";
import * as Plot from "@observablehq/plot";
import type { ReportedRun } from "./report-data.js";

/** What a report draws of one measure: a line for each run, in steps. */
interface Measure {
  readonly key: string;
  readonly label: string;
  readonly dashed?: boolean;
  readonly errorKey?: string;
}

interface Point {
  readonly step: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const kernel: Measure = {
  key: "noiseKernel/exact",
  label: "K exact, ± 1 standard error",
  errorKey: "noiseKernel/exact/standardError",
};
const ratio: Measure = { key: "edge/deterministic", label: "λ_{max}·η/2", dashed: true };
const losses: readonly Measure[] = [
  { key: "loss/train", label: "training set" },
  { key: "loss/test", label: "test set", dashed: true },
];
const accuracies: readonly Measure[] = [
  { key: "accuracy/train", label: "training set" },
  { key: "accuracy/test", label: "test set", dashed: true },
];

/** The courses of a few runs over their steps. With more than one, colours tell runs apart, in order of start. */
export function runPanels(runs: readonly ReportedRun[], theme: Theme): Panel[] {
  return [
    panel("Both edges: 1 is the edge", runs, [kernel, ratio], theme, {
      label: "distance to the edge (dimensionless)",
      edge: 1,
    }),
    panel("Loss", runs, losses, theme, { label: "loss (dimensionless)", log: true }),
    panel("Accuracy", runs, accuracies, theme, { label: "share of examples", bounds: [0, 1] }),
  ].filter((one) => one !== null);
}

interface PanelStyle {
  readonly label: string;
  readonly log?: boolean;
  readonly edge?: number;
  readonly bounds?: readonly [number, number];
}

function panel(
  title: string,
  runs: readonly ReportedRun[],
  measures: readonly Measure[],
  theme: Theme,
  { label, log = false, edge, bounds }: PanelStyle,
): Panel | null {
  const lines = runs.flatMap((run, i) =>
    measures.map((measure) => {
      const colour = runs.length > 1 ? rampColour(theme, i, runs.length) : theme.series[measures.indexOf(measure)]!;
      return { measure, colour, points: pointsOf(run, measure, log) };
    }),
  );
  const drawn = lines.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return null;
  const last = Math.max(1, ...drawn.map(({ points }) => points.at(-1)!.step));
  const legend: LegendEntry[] = measures
    .filter((measure) => drawn.some((line) => line.measure === measure))
    .map((measure) => ({
      label: measure.label,
      colour: runs.length > 1 ? theme.ink : theme.series[measures.indexOf(measure)]!,
      symbol: measure.dashed ? "dashed" : "line",
    }));
  const domain =
    bounds ??
    domainOf(
      drawn.flatMap(({ points }) => points.map(({ value }) => value)),
      log,
      edge,
    );
  const y: Axis = { label, type: log ? "log" : "linear", domain };
  return {
    title,
    legend,
    x: { label: "step (updates)", domain: [0, last] },
    y,
    marks: [
      ...(edge === undefined ? [] : [Plot.ruleY([edge], { stroke: theme.edge, strokeWidth: 1.5 })]),
      ...drawn.flatMap(({ measure, colour, points }) => [
        ...(measure.errorKey === undefined || runs.length > 1
          ? []
          : [Plot.areaY(points, { x: "step", y1: "low", y2: "high", fill: colour, fillOpacity: 0.2, clip: true })]),
        Plot.line(points, {
          x: "step",
          y: "value",
          stroke: colour,
          strokeWidth: 1.8,
          clip: true,
          ...(measure.dashed && { strokeDasharray: "5 3" }),
        }),
      ]),
    ],
  };
}

/** Finite values only: an infinite K, past the deterministic edge, is a gap. */
function pointsOf({ series }: ReportedRun, { key, errorKey }: Measure, log: boolean): Point[] {
  const one = series[key];
  if (one === undefined) return [];
  const errors = errorKey === undefined ? undefined : series[errorKey];
  const errorAt = new Map(errors && Array.from(errors.steps, (step, i) => [step, errors.values[i]!]));
  return Array.from(one.steps, (step, i) => {
    const value = one.values[i]!;
    const error = errorAt.get(step) ?? NaN;
    const reach = Number.isFinite(error) ? error : 0;
    return { step, value, low: value - reach, high: value + reach };
  }).filter(({ value }) => Number.isFinite(value) && (!log || value > 0));
}

export function domainOf(values: readonly number[], log: boolean, edge?: number): readonly [number, number] {
  if (log) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high) + 1e-9)];
  }
  // A reading far past the edge would press the edge to the ground.
  const highest = Math.min(Math.max(0, ...values), edge === undefined ? Infinity : 3 * edge);
  return [0, 1.05 * Math.max(highest, edge === undefined ? 0 : 1.5 * edge) || 1];
}
