import type { RunSummary } from "../api/types.js";
import type { RunData } from "../data/run-data.js";
import type { ViewState, XAxis } from "../view/view-state.js";
import { stepLength } from "./step-length.js";
import { lineOf, visibleExtent, type Line } from "./line.js";
import { shownMeasures, type ChartDefinition, type Measure } from "./measures.js";
import { manyEdges, manyLines, type Content, type RunEdge, type Stroke } from "./paint.js";
import { padded, type Domain, type Scale } from "./scale.js";

export interface LinesOptions {
  readonly definition: ChartDefinition;
  readonly data: RunData;
  /** The runs to draw. */
  readonly runs: readonly RunSummary[];
  readonly view: ViewState;
  readonly xScale: Scale;
  readonly colourOf: (runId: string) => string;
}

/** What a chart draws of a stretch. */
export interface ViewedContent extends Content {
  /** How many points of the lines lie in it, gaps not counted. */
  readonly points: number;
}

/** What a chart draws, whatever stretch of it is in view. */
export interface ChartLines {
  readonly definition: ChartDefinition;
  readonly strokes: readonly Stroke[];
  readonly runEdges: readonly RunEdge[];
  /** Of the strokes, in the same order. */
  readonly legend: readonly LegendLine[];
  readonly xScale: Scale;
  readonly yScale: Scale;
}

/** One run's line of one measure, with what the legend needs. */
export interface LegendLine {
  readonly run: RunSummary;
  readonly measure: Measure;
  readonly line: Line;
}

const yScaleOf = ({ id }: ChartDefinition, view: ViewState): Scale => ({
  kind: view.log.has(id) ? "log" : "linear",
});

/** The lines of every shown run and measure, and the edges of the runs. */
export function linesOf({ definition, data, runs, view, xScale, colourOf }: LinesOptions): ChartLines {
  const yScale = yScaleOf(definition, view);
  const legend: LegendLine[] = [];
  const strokes: Stroke[] = [];
  const measures = shownMeasures(definition, view.measures, runs.length);
  const options = {
    ...{ xAxis: view.x, xScale, yScale, smoothing: view.smoothing },
    band: runs.length * measures.length <= manyLines,
  };
  for (const run of runs) {
    for (const measure of measures) {
      const series = data.series(run.id, measure.key);
      if (series === undefined) continue;
      const errors = measure.errorKey === undefined ? undefined : data.series(run.id, measure.errorKey);
      const line = lineOf(series, errors, run, options);
      legend.push({ run, measure, line });
      const { dash, width } = measure;
      const isMain = measure === definition.measures[0];
      strokes.push({ runId: run.id, line, colour: colourOf(run.id), dash, width, status: run.status, isMain });
    }
  }
  const runEdges: RunEdge[] = [];
  if (definition.runEdge !== undefined) {
    for (const run of runs) {
      const value = definition.runEdge.of(run);
      if (value > 0 && value < Infinity) runEdges.push({ runId: run.id, value, colour: colourOf(run.id) });
    }
  }
  return { definition, strokes, runEdges, legend, xScale, yScale };
}

/** The lines in a horizontal stretch: with the stretch of the vertical axis that they need there. */
export function contentOf(lines: ChartLines, xDomain: Domain): ViewedContent {
  const { definition, strokes, runEdges, xScale, yScale } = lines;
  let points = 0;
  const extents = strokes.map(({ line }) => {
    const visible = visibleExtent(line, xDomain);
    points += visible.points;
    return visible.extent;
  });
  const most = mostShown(strokes, extents);
  return {
    strokes,
    runEdges,
    runEdgeLabel: definition.runEdge?.label ?? null,
    edge: definition.edge ?? null,
    xDomain,
    yDomain: yDomain(
      definition,
      extents.map(([low, high]) => [low, Math.min(high, most)]),
      runEdges,
      yScale,
    ),
    xScale,
    yScale,
    points,
  };
}

/** What a diverged run reached is shown up to so many times what it started at, and what the others reach. */
const divergence = 10;

/** The highest value that the vertical axis makes room for: a run that diverged would press all others to the ground. */
function mostShown(strokes: readonly Stroke[], extents: readonly Domain[]): number {
  if (!strokes.some(({ status }) => status === "diverged")) return Infinity;
  let most = 0;
  strokes.forEach(({ line, status }, i) => {
    const start = line.yPositions.findIndex((position) => !Number.isNaN(position));
    const high = status === "diverged" ? (line.values[start] ?? 0) : extents[i]![1];
    if (high < Infinity) most = Math.max(most, high);
  });
  return most > 0 ? divergence * most : Infinity;
}

/** From the lowest to the highest of what is in view; an edge is always in view, with room beyond it. */
function yDomain(
  { edge, bounds }: ChartDefinition,
  extents: readonly Domain[],
  runEdges: readonly RunEdge[],
  yScale: Scale,
): Domain {
  if (bounds !== undefined && yScale.kind === "linear") return padded(yScale, bounds, 0.03);
  let lowest = Infinity;
  let highest = -Infinity;
  const include = (low: number, high: number) => {
    lowest = Math.min(lowest, low);
    highest = Math.max(highest, high);
  };
  for (const [low, high] of extents) include(low, high);
  if (runEdges.length <= manyEdges) for (const { value } of runEdges) include(value, value);
  if (edge !== undefined) include(edge.value * (yScale.kind === "log" ? 0.5 : 0), edge.value * 1.6);
  if (!(lowest <= highest)) return yScale.kind === "log" ? [0.1, 10] : [0, 1];
  if (yScale.kind === "linear" && lowest >= 0) return [0, padded(yScale, [0, highest], 0.06)[1]];
  return padded(yScale, [lowest, highest], 0.06);
}

/** The whole horizontal stretch of what is drawn, from 0. */
export function fullDomain(data: RunData, runs: readonly RunSummary[], keys: readonly string[], xAxis: XAxis): Domain {
  let end = 0;
  for (const run of runs) {
    for (const key of keys) {
      const series = data.series(run.id, key);
      if (series === undefined || series.length === 0) continue;
      const last = series.length - 1;
      if (xAxis === "time") end = Math.max(end, (series.times[last]! - run.startedAt) / 1000);
      else end = Math.max(end, series.steps[last]! * (stepLength(run, xAxis) || 0));
    }
  }
  return [0, end > 0 ? end : 1];
}

/** Where the logarithm begins on a horizontal axis: one step of the slowest run, or a tenth of a second. */
export function xScaleOf({ x, xLog }: ViewState, runs: readonly RunSummary[]): Scale {
  if (!xLog) return { kind: "linear" };
  if (x === "time") return { kind: "asinh", threshold: 0.1 };
  const lengths = runs.map((run) => stepLength(run, x)).filter((length) => length > 0);
  return { kind: "asinh", threshold: lengths.length > 0 ? Math.min(...lengths) : 1 };
}
