import type { RunSummary } from "../api/types.js";
import { lowerBound, type Series } from "../data/series.js";
import type { XAxis } from "../view/view-state.js";
import { project, type Domain, type Scale } from "./scale.js";
import { smooth } from "./smoothing.js";
import { stepLength } from "./step-length.js";

/** One measure of one run, ready to draw. All columns have one length; positions are those of `project`. */
export interface Line {
  readonly version: string;
  /** In the unit of the horizontal axis, ascending. */
  readonly x: Float64Array;
  /** As measured, smoothed if asked for. */
  readonly values: Float64Array;
  /** Standard errors; null where the measure has none. */
  readonly errors: Float64Array | null;
  readonly xPositions: Float64Array;
  readonly yPositions: Float64Array;
  /** Of value − error and value + error. */
  readonly band: { readonly low: Float64Array; readonly high: Float64Array } | null;
  /** Over the finite values that the scale can show; empty is [∞, −∞]. */
  readonly extent: Domain;
  /** Whether some value is +∞. */
  readonly hasInfinite: boolean;
}

export interface LineOptions {
  readonly xAxis: XAxis;
  readonly xScale: Scale;
  readonly yScale: Scale;
  readonly smoothing: number;
}

const cache = new WeakMap<Series, Map<string, Line>>();

/** The line of a series, computed again only when its content or the options have changed. */
export function lineOf(series: Series, errors: Series | undefined, run: RunSummary, options: LineOptions): Line {
  const { xAxis, xScale, yScale, smoothing } = options;
  // Two charts may show one series differently at once, so each vertical scale has its own entry.
  const place = `${yScale.kind} ${errors === undefined ? "" : "band"}`;
  const version = [series.version, errors?.version ?? 0, xAxis, JSON.stringify(xScale), smoothing].join(" ");
  let lines = cache.get(series);
  if (lines === undefined) cache.set(series, (lines = new Map<string, Line>()));
  const known = lines.get(place);
  if (known?.version === version) return known;

  const x = xColumn(series, run, xAxis);
  const values = smooth(series.values, smoothing);
  const errorColumn = errors === undefined ? null : alignedTo(series.steps, errors);
  const yPositions = values.map((value) => project(yScale, value));
  let lowest = Infinity;
  let highest = -Infinity;
  let hasInfinite = false;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === Infinity) hasInfinite = true;
    if (Number.isNaN(yPositions[i]!)) continue;
    lowest = Math.min(lowest, values[i]!);
    highest = Math.max(highest, values[i]!);
  }
  const line: Line = {
    version,
    x,
    values,
    errors: errorColumn,
    xPositions: x.map((value) => project(xScale, value)),
    yPositions,
    band: errorColumn && bandOf(values, errorColumn, yScale),
    extent: [lowest, highest],
    hasInfinite,
  };
  lines.set(place, line);
  return line;
}

/** A run's own horizontal coordinate of a step. NaN where it cannot be known. */
function xColumn(series: Series, run: RunSummary, xAxis: XAxis): Float64Array {
  if (xAxis === "time") return series.times.map((time) => (time - run.startedAt) / 1000);
  const unit = stepLength(run, xAxis);
  return series.steps.map((step) => step * unit);
}

/** The entries of `other` at the given steps; NaN where it has none. */
function alignedTo(steps: Float64Array, other: Series): Float64Array {
  const [otherSteps, otherValues] = [other.steps, other.values];
  let j = 0;
  return steps.map((step) => {
    while (j < otherSteps.length && otherSteps[j]! < step) j++;
    return otherSteps[j] === step ? otherValues[j]! : NaN;
  });
}

function bandOf(values: Float64Array, errors: Float64Array, scale: Scale): Line["band"] {
  const edge = (sign: number) =>
    values.map((value, i) => {
      const error = errors[i]!;
      if (!Number.isFinite(value) || !(error >= 0) || error === Infinity) return NaN;
      const position = project(scale, value + sign * error);
      // Value − error ≤ 0 has no place on a logarithmic axis: the band then runs off its lower end.
      return Number.isNaN(position) && !Number.isNaN(project(scale, value)) ? -1e3 : position;
    });
  return { low: edge(-1), high: edge(1) };
}

/** Indices [from, to) of the points inside a horizontal domain, one more at each side so that lines reach the rim. */
export function visibleRange({ x }: Line, [min, max]: Domain): readonly [from: number, to: number] {
  const from = Math.max(0, lowerBound(x, min) - 1);
  return [from, Math.min(x.length, lowerBound(x, max) + 2)];
}

/** Lowest and highest value that the scale can show within a horizontal domain. */
export function visibleExtent(line: Line, domain: Domain): Domain {
  const { x, values, yPositions, extent } = line;
  if (x.length > 0 && x[0]! >= domain[0] && x[x.length - 1]! <= domain[1]) return extent;
  const [from, to] = visibleRange(line, domain);
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = from; i < to; i++) {
    if (Number.isNaN(yPositions[i]!)) continue;
    lowest = Math.min(lowest, values[i]!);
    highest = Math.max(highest, values[i]!);
  }
  return [lowest, highest];
}
