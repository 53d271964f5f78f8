import type { RunSummary } from "../api/types.js";
import { lowerBound, type Series } from "../data/series.js";
import type { XAxis } from "../view/view-state.js";
import { project, type Domain, type Scale } from "./scale.js";
import { smoother } from "./smoothing.js";
import { stepLength } from "./step-length.js";

/** One measure of one run, ready to draw. All columns have one length; positions are those of `project`. */
export interface Line {
  /** In the unit of the horizontal axis, ascending. */
  readonly x: Float64Array;
  /** As measured, smoothed if asked for. */
  readonly values: Float64Array;
  /** Standard errors; null where the measure has none. */
  readonly errors: Float64Array | null;
  readonly xPositions: Float64Array;
  readonly yPositions: Float64Array;
  /** Of value − error and value + error; null where the measure has no errors, or bands are not asked for. */
  readonly band: { readonly low: Float64Array; readonly high: Float64Array } | null;
  /** Over the finite values that the scale can show; empty is [∞, −∞]. */
  readonly extent: Domain;
  /** How many points the scale can show. */
  readonly shownPoints: number;
  /** Whether some value is +∞. */
  readonly hasInfinite: boolean;
}

export interface LineOptions {
  readonly xAxis: XAxis;
  readonly xScale: Scale;
  readonly yScale: Scale;
  readonly smoothing: number;
  /** Whether the errors are to be drawn. */
  readonly band: boolean;
}

const cache = new WeakMap<Series, Map<string, LineBuilder>>();

/**
 * The line of a series: the same object until something has changed. Points added at the series' end are added to the
 * line; anything else makes it anew.
 */
export function lineOf(series: Series, errors: Series | undefined, run: RunSummary, options: LineOptions): Line {
  const { xAxis, xScale, yScale, smoothing, band } = options;
  // Two charts may show one series differently at once, so each vertical scale has its own entry.
  const place = `${yScale.kind} ${errors === undefined ? "" : band ? "band" : "errors"}`;
  const unit = xAxis === "time" ? run.startedAt : stepLength(run, xAxis);
  const key = `${xAxis} ${unit} ${xScale.kind} ${xScale.kind === "asinh" ? xScale.threshold : ""} ${smoothing}`;
  let builders = cache.get(series);
  if (builders === undefined) cache.set(series, (builders = new Map<string, LineBuilder>()));
  let builder = builders.get(place);
  if (builder?.follows(key, series, errors) !== true) {
    builders.set(place, (builder = new LineBuilder(key, series, errors, unit, options)));
  }
  return builder.line();
}

/** A line that grows with its series. */
class LineBuilder {
  readonly #key: string;
  readonly #series: Series;
  readonly #errors: Series | undefined;
  readonly #unit: number;
  readonly #options: LineOptions;
  readonly #smooth: (value: number) => number;
  /** Of the two series, when this line was begun. */
  readonly #rewrites: readonly [number, number];
  #capacity = 0;
  #length = 0;
  /** Entries of the errors that lie at or before the line's last step. */
  #errorsUsed = 0;
  #columns: Columns = columnsFor(0, false, false);
  #lowest = Infinity;
  #highest = -Infinity;
  #shown = 0;
  #hasInfinite = false;
  #line: Line | null = null;

  constructor(key: string, series: Series, errors: Series | undefined, unit: number, options: LineOptions) {
    this.#key = key;
    this.#series = series;
    this.#errors = errors;
    this.#unit = unit;
    this.#options = options;
    this.#smooth = smoother(options.smoothing);
    this.#rewrites = [series.rewrites, errors?.rewrites ?? 0];
  }

  /** Whether what this line holds still holds: the two series have at most grown beyond its end. */
  follows(key: string, series: Series, errors: Series | undefined): boolean {
    if (key !== this.#key || series !== this.#series || errors !== this.#errors) return false;
    if (series.rewrites !== this.#rewrites[0] || (errors?.rewrites ?? 0) !== this.#rewrites[1]) return false;
    // An error that came later than its value.
    return errors === undefined || !(errors.steps[this.#errorsUsed]! <= series.steps[this.#length - 1]!);
  }

  line(): Line {
    const { length } = this.#series;
    if (this.#line !== null && length === this.#length) return this.#line;
    this.#extend(length);
    const cut = (column: Float64Array) => column.subarray(0, length);
    const { x, values, errors, xPositions, yPositions, low, high } = this.#columns;
    return (this.#line = {
      x: cut(x),
      values: this.#options.smoothing > 0 ? cut(values) : this.#series.values,
      errors: errors && cut(errors),
      xPositions: cut(xPositions),
      yPositions: cut(yPositions),
      band: low && high && { low: cut(low), high: cut(high) },
      extent: [this.#lowest, this.#highest],
      shownPoints: this.#shown,
      hasInfinite: this.#hasInfinite,
    });
  }

  #extend(length: number): void {
    if (length > this.#capacity) this.#grow(length);
    const { xAxis, xScale, yScale } = this.#options;
    const { steps, times, values: measured } = this.#series;
    const { x, values, errors, xPositions, yPositions, low, high } = this.#columns;
    const [errorSteps, errorValues] = [this.#errors?.steps, this.#errors?.values];
    for (let i = this.#length; i < length; i++) {
      const step = steps[i]!;
      x[i] = xAxis === "time" ? (times[i]! - this.#unit) / 1000 : step * this.#unit;
      xPositions[i] = project(xScale, x[i]!);
      const value = this.#smooth(measured[i]!);
      values[i] = value;
      const position = project(yScale, value);
      yPositions[i] = position;
      if (value === Infinity) this.#hasInfinite = true;
      if (!Number.isNaN(position + xPositions[i]!)) {
        this.#shown++;
        if (value < this.#lowest) this.#lowest = value;
        if (value > this.#highest) this.#highest = value;
      }
      if (errors === null) continue;
      while (this.#errorsUsed < errorSteps!.length && errorSteps![this.#errorsUsed]! < step) this.#errorsUsed++;
      const isMeasured = errorSteps![this.#errorsUsed] === step;
      errors[i] = isMeasured ? errorValues![this.#errorsUsed++]! : NaN;
      if (low === null || high === null) continue;
      low[i] = bandEdge(value, -errors[i]!, yScale, position);
      high[i] = bandEdge(value, errors[i]!, yScale, position);
    }
    this.#length = length;
  }

  #grow(length: number): void {
    this.#capacity = Math.max(64, 2 ** Math.ceil(Math.log2(length + 1)));
    const grown = columnsFor(this.#capacity, this.#errors !== undefined, this.#options.band);
    for (const [name, column] of Object.entries(this.#columns) as [keyof Columns, Float64Array | null][]) {
      if (column !== null) grown[name]?.set(column);
    }
    this.#columns = grown;
  }
}

interface Columns {
  readonly x: Float64Array;
  readonly values: Float64Array;
  readonly errors: Float64Array | null;
  readonly xPositions: Float64Array;
  readonly yPositions: Float64Array;
  readonly low: Float64Array | null;
  readonly high: Float64Array | null;
}

function columnsFor(capacity: number, withErrors: boolean, withBand: boolean): Columns {
  const column = () => new Float64Array(capacity);
  return {
    x: column(),
    values: column(),
    errors: withErrors ? column() : null,
    xPositions: column(),
    yPositions: column(),
    low: withErrors && withBand ? column() : null,
    high: withErrors && withBand ? column() : null,
  };
}

/** Where an error reaches to from its value; NaN where there is none. */
function bandEdge(value: number, error: number, scale: Scale, valuePosition: number): number {
  if (!Number.isFinite(value) || !Number.isFinite(error)) return NaN;
  const position = project(scale, value + error);
  // Value − error ≤ 0 has no place on a logarithmic axis: the band then runs off its lower end.
  return Number.isNaN(position) && !Number.isNaN(valuePosition) ? -1e3 : position;
}

/** Indices [from, to) of the points inside a horizontal domain, one more at each side so that lines reach the rim. */
export function visibleRange({ x }: Pick<Line, "x">, [min, max]: Domain): readonly [from: number, to: number] {
  const from = Math.max(0, lowerBound(x, min) - 1);
  return [from, Math.min(x.length, lowerBound(x, max) + 2)];
}

/** What a line shows within a horizontal domain: lowest and highest value that the scale has a place for, and points. */
export function visibleExtent(line: Line, domain: Domain): { readonly extent: Domain; readonly points: number } {
  const { x, values, yPositions, extent, shownPoints } = line;
  if (x.length > 0 && x[0]! >= domain[0] && x[x.length - 1]! <= domain[1]) return { extent, points: shownPoints };
  const [from, to] = visibleRange(line, domain);
  let lowest = Infinity;
  let highest = -Infinity;
  let points = 0;
  for (let i = from; i < to; i++) {
    if (Number.isNaN(yPositions[i]!)) continue;
    points++;
    const value = values[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return { extent: [lowest, highest], points };
}
