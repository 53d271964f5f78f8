import * as Plot from "@observablehq/plot";
import { fineTicks } from "../../figures/grid/grid-panels.js";
import { drawSheet, type LegendEntry, type Panel } from "../../figures/plotting/sheet.js";
import { rampColour, type Theme } from "../../figures/plotting/theme.js";
import { predictors } from "../../edge-test/predict.js";
import { edgeRatios, groupsOf } from "./report.js";
import type { CellResult } from "./run-cell.js";
import { interval } from "./statistics.js";

/** Arms that are drawn: those with several starts, and one K more. */
const drawn = ["constant", "cosine", "K = 0.5", "K = 1"];

/**
 * The study as one SVG document: the loss that each arm ends at against where its η started, and where the edge was. null while
 * there is nothing to draw.
 */
export function controlPicture(results: readonly CellResult[], theme: Theme): string | null {
  const names = [...new Set(results.map(({ task }) => task))];
  const panels = names
    .map((name) => results.filter(({ task }) => task === name))
    .filter((own) => own.some(({ arm, start }) => arm.startsWith("K = ") && start !== 1))
    .map((own) => startPanel(own[0]!.task, own, theme));
  const edges = edgePanel(results, names, theme);
  const all = edges === null ? panels : [...panels, edges];
  if (all.length === 0) return null;
  return drawSheet(
    {
      title: "Does it help to let K choose the learning rate?",
      subtitle: [
        "Training loss at the end against the η that a run starts from, means over seeds with 95 % intervals; a triangle: not all seeds finished.",
        "Last: the critical η that each measure predicts over that found by the edge test, one dot a task.",
      ],
      panels: all,
      columns: 2,
    },
    theme,
  );
}

function startPanel(title: string, results: readonly CellResult[], theme: Theme): Panel {
  const groups = groupsOf(results).filter(({ arm }) => drawn.includes(arm));
  const arms = drawn.filter((arm) => groups.some((group) => group.arm === arm));
  const points = groups.map(({ arm, start, runs }) => {
    const isWhole = runs.every(({ loss }) => loss !== null);
    return { arm, start, loss: isWhole ? interval(runs.map(({ loss }) => loss)) : null };
  });
  const known = points.flatMap(({ loss }) => (loss === null ? [] : [loss.mean]));
  const [low, high] = known.length === 0 ? [0.1, 1] : [Math.min(...known) / 1.6, Math.max(...known) * 1.6];
  return {
    title,
    legend: arms.map((arm, i): LegendEntry => ({
      label: arm,
      colour: rampColour(theme, i, arms.length),
      symbol: "dot",
    })),
    x: {
      label: "start η over a good one, dimensionless",
      type: "log",
      domain: [0.07, 14],
      ticks: [0.1, 0.3, 1, 3, 10],
      tickFormat: String,
    },
    y: {
      label: "training loss at the end",
      type: "log",
      domain: [low, high],
      ticks: fineTicks([low, high]),
      tickFormat: String,
    },
    marks: arms.flatMap((arm, i) => {
      const stroke = rampColour(theme, i, arms.length);
      const own = points.filter((point) => point.arm === arm).sort((a, b) => a.start - b.start);
      const place = ({ start }: { readonly start: number }) => start * 1.03 ** (i - 1.5); // so that bars do not hide each other
      const sound = own.flatMap(({ loss, start }) => (loss === null ? [] : [{ start, ...loss }]));
      return [
        Plot.line(sound, { x: place, y: "mean", stroke, strokeWidth: 1.6 }),
        Plot.dot(sound, { x: place, y: "mean", fill: stroke, r: 3 }),
        Plot.link(
          sound.filter(({ half }) => Number.isFinite(half)),
          {
            ...{ x1: place, x2: place, stroke },
            y1: ({ mean, half }: (typeof sound)[number]) => Math.max(low, mean - half),
            y2: ({ mean, half }: (typeof sound)[number]) => Math.min(high, mean + half),
          },
        ),
        Plot.dot(
          own.filter(({ loss }) => loss === null),
          { x: place, y: () => high / 1.05, symbol: "triangle", fill: stroke, r: 4 },
        ),
      ];
    }),
  };
}

function edgePanel(results: readonly CellResult[], names: readonly string[], theme: Theme): Panel | null {
  const tested = names.filter((name) => results.some(({ task, edge }) => task === name && edge !== null));
  const points = tested.flatMap((name, i) =>
    predictors.flatMap((predictor, row) => {
      const found = interval(
        edgeRatios(
          results.filter(({ task }) => task === name),
          predictor,
        ),
      );
      return found === null ? [] : [{ ratio: found.mean, row: predictors.length - row, i }];
    }),
  );
  if (points.length === 0) return null;
  const most = Math.max(2, ...points.map(({ ratio }) => Math.max(ratio, 1 / ratio))) * 1.2;
  return {
    title: "where the edge is",
    legend: tested.map((label, i): LegendEntry => ({
      label,
      colour: rampColour(theme, i, tested.length),
      symbol: "dot",
    })),
    x: {
      label: "predicted over measured critical η, dimensionless",
      type: "log",
      domain: [1 / most, most],
      ticks: [0.25, 0.5, 1, 2, 4, 8].filter((tick) => tick < most && tick > 1 / most),
      tickFormat: String,
    },
    y: {
      label: "",
      domain: [0.5, predictors.length + 0.5],
      ticks: predictors.map((_, row) => row + 1),
      tickFormat: (row) => (predictors[predictors.length - row] ?? "").replace("sharpness", "sharp."), // what the margin holds
    },
    marks: [
      Plot.ruleX([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      Plot.dot(points, {
        x: "ratio",
        y: ({ row, i }: (typeof points)[number]) => row + 0.12 * (i - 1),
        fill: ({ i }: (typeof points)[number]) => rampColour(theme, i, tested.length),
        r: 4,
      }),
    ],
  };
}
