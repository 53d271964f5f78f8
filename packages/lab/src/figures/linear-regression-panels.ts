import * as Plot from "@observablehq/plot";
import type { Edge, Figure01Data, Trajectory } from "./linear-regression.js";
import { decimals } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import { rampColour, type Theme } from "./plotting/theme.js";

/** K exact of the runs whose whole course is shown. */
const shownTargets = [0.25, 0.5, 0.75, 0.95, 1.1, 1.3];
/** Losses above this are drawn at it. */
const clip = 10;

export const isShown = ({ kExact }: Trajectory) => shownTargets.some((target) => Math.abs(kExact / target - 1) < 1e-6);

export function trajectoriesPanel({ trajectories, recordAt, problem }: Figure01Data, theme: Theme): Panel {
  const shown = trajectories.filter(isShown);
  const colour = (i: number) => rampColour(theme, i, shown.length);
  const course = (losses: readonly number[]) =>
    recordAt.flatMap((step, k) => (step > 0 && losses[k]! < 1e3 ? [[step, losses[k]!] as [number, number]] : []));
  return {
    title: "Loss against step",
    legend: [
      ...shown.map(({ learningRate, kExact }, i): LegendEntry => ({
        label: `η = ${learningRate.toFixed(3)}, K_{exact} = ${decimals(kExact)}`,
        colour: colour(i),
      })),
      { label: "exact expectation", colour: theme.ink, symbol: "dotted" },
    ],
    x: { label: "step", type: "log", domain: [1, problem.steps] },
    y: { label: "loss, ½ mean squared residual", type: "log", domain: lossDomain(trajectories) },
    marks: shown.flatMap(({ meanLoss, expectedLoss: expected }, i) => [
      Plot.line(course(meanLoss), { stroke: colour(i), strokeWidth: 2, clip: true }),
      Plot.line(course(expected), { stroke: theme.ink, strokeWidth: 1.3, strokeDasharray: "1.5 3", clip: true }),
    ]),
  };
}

export function kernelPanel({ edges, critical }: Figure01Data, theme: Theme): Panel {
  const [blue, orange, green, purple, grey] = theme.series as [string, string, string, string, string];
  const curves: readonly (readonly [keyof Edge, string, string, LegendEntry["symbol"]])[] = [
    ["kExact", "K exact", blue, "line"],
    ["kDiagonal", "K diagonal (the paper’s K)", orange, "line"],
    ["kHighDim", "K high-dimensional", green, "dashed"],
    ["kTrace", "K trace", purple, "dotted"],
    ["deterministicRatio", "λ_{max} η/2", grey, "dashed"],
  ];
  return {
    title: "Both edges against learning rate",
    legend: curves.map(([, label, colour, symbol]): LegendEntry => ({ label, colour, symbol: symbol! })),
    x: { label: "learning rate η (1/curvature)", domain: [0, edges.at(-1)!.learningRate] },
    y: { label: "distance to the edge (dimensionless)", domain: [0, 1.5] },
    marks: [
      Plot.ruleY([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...verticals(critical, theme),
      ...curves.map(([key, , colour, symbol]) =>
        Plot.line(
          edges.map((edge) => [edge.learningRate, edge[key]] as [number, number]),
          {
            stroke: colour,
            strokeWidth: symbol === "line" ? 2.2 : 1.6,
            ...(symbol !== "line" && { strokeDasharray: symbol === "dashed" ? "5 3" : "1.5 3" }),
            clip: true,
          },
        ),
      ),
    ],
  };
}

export function growthPanel({ edges, critical }: Figure01Data, theme: Theme): Panel {
  const [blue, orange] = theme.series as [string, string];
  const curve = (key: "growthExact" | "growthDiagonal") =>
    edges.map((edge) => [edge.learningRate, 1000 * (edge[key] - 1)] as [number, number]);
  // Near the edge, where the two differ: what decays is slow, and what grows soon leaves the panel.
  const least = 1000 * (Math.min(...edges.map(({ growthExact }) => growthExact)) - 1);
  return {
    title: "Growth of the squared residual a step, in the end",
    legend: [
      { label: "exact second moment, ρ − 1", colour: blue },
      { label: "the paper’s λ_{max}(A+B) − 1", colour: orange },
    ],
    x: { label: "learning rate η (1/curvature)", domain: [0, edges.at(-1)!.learningRate] },
    y: { label: "growth rate (10^{−3} a step)", domain: [1.8 * least, -5 * least] },
    marks: [
      Plot.ruleY([0], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...verticals(critical, theme),
      Plot.line(curve("growthDiagonal"), { stroke: orange, strokeWidth: 2.2, clip: true }),
      Plot.line(curve("growthExact"), { stroke: blue, strokeWidth: 2.2, clip: true }),
    ],
  };
}

/** Where each K is 1, in that K's colour. */
function verticals({ exact, diagonal }: Figure01Data["critical"], theme: Theme): Plot.Markish[] {
  return [exact, diagonal].map((at, i) =>
    Plot.ruleX([at], { stroke: theme.series[i]!, strokeWidth: 1, strokeDasharray: "2 3" }),
  );
}

export function finalLossPanel({ trajectories, problem }: Figure01Data, theme: Theme): Panel {
  const [blue, orange] = theme.series as [string, string];
  const points = (key: "kExact" | "kDiagonal") =>
    trajectories.map((run) => ({ k: run[key], loss: run.meanLoss.at(-1)! }));
  const inside = (point: { loss: number }) => point.loss < clip;
  const beyond = (point: { loss: number }) => !inside(point);
  const expected = trajectories.map(
    (run) => [run.kExact, Math.min(clip, run.expectedLoss.at(-1)!)] as [number, number],
  );
  return {
    title: `Loss after ${problem.steps.toLocaleString("en-GB")} steps against K`,
    legend: [
      { label: "against K exact", colour: blue, symbol: "dot" },
      { label: "against the paper’s K", colour: orange, symbol: "ring" },
      { label: "exact expectation", colour: blue, symbol: "dotted" },
      { label: `triangles: above ${clip}`, colour: theme.mutedInk, symbol: "triangle" },
    ],
    x: { label: "K (dimensionless)", domain: [0, 1.4] },
    y: { label: "loss, clipped at 10", type: "log", domain: lossDomain(trajectories) },
    marks: [
      Plot.ruleX([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      Plot.line(expected, { stroke: blue, strokeWidth: 1.6, strokeDasharray: "1.5 3", clip: true }),
      Plot.dot(points("kDiagonal").filter(inside), { x: "k", y: "loss", r: 3.4, stroke: orange, strokeWidth: 1.6 }),
      Plot.dot(points("kExact").filter(inside), { x: "k", y: "loss", r: 3.4, fill: blue }),
      Plot.dot(points("kDiagonal").filter(beyond), {
        x: "k",
        y: () => clip,
        r: 4,
        symbol: "triangle",
        stroke: orange,
        strokeWidth: 1.6,
      }),
      Plot.dot(points("kExact").filter(beyond), { x: "k", y: () => clip, r: 4, symbol: "triangle", fill: blue }),
    ],
  };
}

/** From the smallest final loss to the clip, whole powers of ten. */
function lossDomain(trajectories: readonly Trajectory[]): [number, number] {
  const least = Math.min(
    ...trajectories.flatMap(({ meanLoss, expectedLoss: expected }) => [meanLoss.at(-1)!, expected.at(-1)!]),
  );
  return [10 ** Math.floor(Math.log10(least)), clip * 1.6];
}
