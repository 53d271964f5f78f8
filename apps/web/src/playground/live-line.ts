import type { Line } from "../charts/line.js";
import type { Stroke } from "../charts/paint.js";
import { project, type Scale } from "../charts/scale.js";

export interface LiveLine {
  readonly name: string;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Standard errors, drawn as a band of ± one. */
  readonly errors?: readonly number[];
}

/** A line as the charts' painter takes it, on a linear horizontal axis of steps. */
export function strokeOf(
  { name, colour, dash, steps, values, errors }: LiveLine,
  yScale: Scale,
  isMain: boolean,
): Stroke {
  const column = (numbers: readonly number[]) => Float64Array.from(numbers);
  const finite = values.filter(Number.isFinite);
  const line: Line = {
    x: column(steps),
    values: column(values),
    errors: errors === undefined ? null : column(errors),
    xPositions: column(steps),
    yPositions: Float64Array.from(values, (value) => project(yScale, value)),
    band: errors === undefined ? null : band(values, errors, yScale),
    extent: [Math.min(...finite), Math.max(...finite)],
    shownPoints: finite.length,
    hasInfinite: values.includes(Infinity),
  };
  return { runId: name, line, colour, dash, width: 2, status: "running", isMain };
}

function band(values: readonly number[], errors: readonly number[], yScale: Scale): NonNullable<Line["band"]> {
  const edge = (sign: number) =>
    Float64Array.from(values, (value, i) => project(yScale, Math.max(value + sign * errors[i]!, 0)));
  return { low: edge(-1), high: edge(1) };
}
