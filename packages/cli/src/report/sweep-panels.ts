import { rampColour, type Panel, type Theme } from "@sedge/lab/figures";
import * as Plot from "@observablehq/plot";
import type { ReportedRun } from "./report-data.js";
import { domainOf } from "./run-panels.js";

interface Ending {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly value: number;
}

/** Where the runs of a sweep ended, against the learning rate, a colour for each batch size. */
export function sweepPanels(runs: readonly ReportedRun[], theme: Theme): Panel[] {
  return [
    endings("Final K", runs, "noiseKernel/exact", theme, "K exact (dimensionless)", 1),
    endings("Final loss", runs, "loss/train", theme, "training loss (dimensionless)", undefined),
  ].filter((one) => one !== null);
}

function endings(
  title: string,
  runs: readonly ReportedRun[],
  key: string,
  theme: Theme,
  label: string,
  edge: number | undefined,
): Panel | null {
  const log = edge === undefined;
  const ended = runs.flatMap(({ run }): Ending[] => {
    const { learningRate, batchSize } = run.config;
    const value = run.latest[key] ?? NaN;
    if (typeof learningRate !== "number" || typeof batchSize !== "number") return [];
    return Number.isFinite(value) && (!log || value > 0) ? [{ learningRate, batchSize, value }] : [];
  });
  if (ended.length === 0) return null;
  const batchSizes = [...new Set(ended.map(({ batchSize }) => batchSize))].sort((a, b) => a - b);
  const colours = new Map(batchSizes.map((size, i) => [size, rampColour(theme, i, batchSizes.length)]));
  const rates = ended.map(({ learningRate }) => learningRate);
  return {
    title,
    legend: batchSizes.map((size) => ({ label: `B = ${size}`, colour: colours.get(size)!, symbol: "dot" })),
    x: {
      label: "learning rate η (1/curvature)",
      type: "log",
      domain: [0.8 * Math.min(...rates), 1.25 * Math.max(...rates)],
    },
    y: {
      label,
      type: log ? "log" : "linear",
      domain: domainOf(
        ended.map(({ value }) => value),
        log,
        edge,
      ),
    },
    marks: [
      ...(edge === undefined ? [] : [Plot.ruleY([edge], { stroke: theme.edge, strokeWidth: 1.5 })]),
      ...batchSizes.map((size) =>
        Plot.dot(
          ended.filter(({ batchSize }) => batchSize === size),
          { x: "learningRate", y: "value", r: 4, fill: colours.get(size)!, clip: true },
        ),
      ),
    ],
  };
}
