import type { RunStatus } from "../api/types.js";
import { visibleRange, type Line } from "./line.js";
import { tracePath, type Affine } from "./path.js";
import { project, type Domain, type Scale } from "./scale.js";

/** One line with its look. */
export interface Stroke {
  readonly runId: string;
  readonly line: Line;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly width: number;
  readonly status: RunStatus;
  /** The run's main line, which carries the marker of its end. */
  readonly isMain: boolean;
}

export interface RunEdge {
  readonly runId: string;
  readonly value: number;
  readonly colour: string;
}

export interface Content {
  readonly strokes: readonly Stroke[];
  readonly runEdges: readonly RunEdge[];
  readonly runEdgeLabel: string | null;
  readonly edge: { readonly value: number; readonly label: string } | null;
  readonly xDomain: Domain;
  readonly yDomain: Domain;
  readonly xScale: Scale;
  readonly yScale: Scale;
}

export interface Ink {
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  readonly edge: string;
  readonly beyond: string;
}

/** Where the plotting area lies on the canvas, in device pixels, and how many of those make a CSS pixel. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
}

/** With more lines than this on a chart, each is drawn thinner and lighter, without its band. */
export const manyLines = 40;
/** With more edges than this, one for each run, they would hide the lines. */
export const manyEdges = 8;
export const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

export function mapping(domain: Domain, scale: Scale, start: number, length: number): Affine {
  const [low, high] = [project(scale, domain[0]), project(scale, domain[1])];
  const factor = length / (high - low);
  return { factor, offset: start - factor * low };
}

export const mappings = (
  { xDomain, yDomain, xScale, yScale }: Pick<Content, "xDomain" | "yDomain" | "xScale" | "yScale">,
  area: Area,
) => ({
  toX: mapping(xDomain, xScale, area.left, area.width),
  toY: mapping(yDomain, yScale, area.top + area.height, -area.height),
});

/** Under the grid: the region beyond the edge. */
export function paintBeyond(context: CanvasRenderingContext2D, content: Content, area: Area, ink: Ink): void {
  if (content.edge === null) return;
  const y = edgeY(content, area, content.edge.value);
  if (!(y > area.top)) return;
  context.save();
  context.fillStyle = ink.beyond;
  context.fillRect(area.left, area.top, area.width, Math.min(area.height, y - area.top));
  context.restore();
}

/** What paints the lines of a chart onto its canvas. */
export type LinePainter = (context: CanvasRenderingContext2D, content: Content, area: Area) => void;

/** Over the grid: bands, edges, lines, markers. */
export function paintContent(
  context: CanvasRenderingContext2D,
  content: Content,
  area: Area,
  ink: Ink,
  lines: LinePainter = paintLines,
): void {
  const { toX, toY } = mappings(content, area);
  const { strokes } = content;
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  if (strokes.length <= manyLines) {
    context.globalAlpha = 0.16;
    for (const { line, colour } of strokes) {
      if (line.band === null) continue;
      context.fillStyle = colour;
      paintBand(context, line, content.xDomain, toX, toY);
    }
  }
  paintEdges(context, content, area, ink);
  context.globalAlpha = 1;
  lines(context, content, area);
  for (const stroke of strokes) paintMarkers(context, stroke, content, area, ink, toX, toY);
  context.restore();
}

/** The lines alone. */
export function paintLines(context: CanvasRenderingContext2D, content: Content, area: Area): void {
  const { toX, toY } = mappings(content, area);
  const { strokes } = content;
  const many = strokes.length > manyLines;
  context.save();
  context.lineJoin = "round";
  context.lineCap = "butt";
  context.globalAlpha = many ? 0.6 : 1;
  // With hundreds of lines on a chart, columns a few pixels wide look the same and cost a fraction.
  const columnWidth = area.ratio * Math.min(4, Math.max(1, strokes.length / 25));
  for (const { line, colour, dash, width } of strokes) {
    context.strokeStyle = colour;
    context.lineWidth = (many ? 1 : width) * area.ratio;
    context.setLineDash(dash.map((length) => length * area.ratio));
    context.beginPath();
    const [from, to] = visibleRange(line, content.xDomain);
    tracePath(context, line.xPositions, line.yPositions, from, to, toX, toY, columnWidth);
    context.stroke();
  }
  context.restore();
}

/**
 * One run brought forward: a veil over everything, and the run's own lines on it. The rest need not be drawn again,
 * which keeps pointing at runs quick however many there are.
 */
export function paintHighlight(
  context: CanvasRenderingContext2D,
  content: Content,
  runId: string,
  area: Area,
  ink: Ink,
): void {
  const isIts = (item: { readonly runId: string }) => item.runId === runId;
  const strokes = content.strokes.filter(isIts);
  if (strokes.length === 0) return;
  context.save();
  context.globalAlpha = 0.75;
  context.fillStyle = ink.surface;
  context.fillRect(area.left, area.top, area.width, area.height);
  context.restore();
  paintBeyond(context, content, area, ink);
  paintContent(context, { ...content, strokes, runEdges: content.runEdges.filter(isIts) }, area, ink);
}

const edgeY = (content: Content, area: Area, value: number) => {
  const { toY } = mappings(content, area);
  return toY.offset + toY.factor * project(content.yScale, value);
};

function paintBand(
  context: CanvasRenderingContext2D,
  { band, xPositions, ...line }: Line,
  xDomain: Domain,
  toX: Affine,
  toY: Affine,
): void {
  const [from, to] = visibleRange(line, xDomain);
  const at = (position: number, map: Affine) => map.offset + map.factor * position;
  // One polygon for every stretch without a gap.
  let start = from;
  for (let i = from; i <= to; i++) {
    const isGap = i === to || Number.isNaN(band!.low[i]!) || Number.isNaN(band!.high[i]!);
    if (!isGap) continue;
    if (i - start > 1) {
      context.beginPath();
      for (let k = start; k < i; k++) context.lineTo(at(xPositions[k]!, toX), at(band!.high[k]!, toY));
      for (let k = i - 1; k >= start; k--) context.lineTo(at(xPositions[k]!, toX), at(band!.low[k]!, toY));
      context.fill();
    }
    start = i + 1;
  }
}

function paintEdges(context: CanvasRenderingContext2D, content: Content, area: Area, ink: Ink): void {
  const { ratio } = area;
  context.font = `${11 * ratio}px ${font}`;
  const right = area.left + area.width - 6 * ratio;
  if (content.edge !== null) {
    const y = edgeY(content, area, content.edge.value);
    context.globalAlpha = 1;
    context.strokeStyle = ink.edge;
    context.lineWidth = 1.5 * ratio;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(area.left, y);
    context.lineTo(area.left + area.width, y);
    context.stroke();
    context.fillStyle = ink.edge;
    context.textAlign = "right";
    context.textBaseline = "bottom";
    context.fillText(content.edge.label, right, y - 4 * ratio);
  }
  const runEdges = content.runEdges.length > manyEdges ? [] : content.runEdges;
  /** Where labels stand: one that would lie on another is left out, the line's colour says whose it is. */
  const labelled: number[] = [];
  for (const { value, colour } of runEdges) {
    const y = edgeY(content, area, value);
    if (Number.isNaN(y)) continue;
    context.globalAlpha = 0.9;
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 1.25 * ratio;
    context.setLineDash([3 * ratio, 3 * ratio]);
    context.beginPath();
    context.moveTo(area.left, y);
    context.lineTo(area.left + area.width, y);
    context.stroke();
    if (content.runEdgeLabel === null || labelled.some((other) => Math.abs(other - y) < 14 * ratio)) continue;
    labelled.push(y);
    const above = y - area.top > 16 * ratio;
    context.textAlign = "right";
    context.textBaseline = above ? "bottom" : "top";
    context.fillText(content.runEdgeLabel, right, above ? y - 3 * ratio : y + 4 * ratio);
  }
  context.setLineDash([]);
}

/** Where a value was infinite, a triangle at the top; where a run diverged, a cross at its end; where it goes on, a dot. */
function paintMarkers(
  context: CanvasRenderingContext2D,
  { line, colour, status, isMain }: Stroke,
  { xDomain }: Content,
  area: Area,
  ink: Ink,
  toX: Affine,
  toY: Affine,
): void {
  const { ratio } = area;
  const showsEnd = isMain && (status === "running" || status === "diverged");
  if (!line.hasInfinite && !showsEnd) return;
  context.fillStyle = colour;
  context.strokeStyle = colour;
  if (line.hasInfinite) {
    const [from, to] = visibleRange(line, xDomain);
    let lastX = -Infinity;
    for (let i = from; i < to; i++) {
      if (line.values[i] !== Infinity) continue;
      const x = toX.offset + toX.factor * line.xPositions[i]!;
      if (x - lastX < 7 * ratio) continue;
      lastX = x;
      const size = 5 * ratio;
      const inside = Math.min(Math.max(x, area.left + size), area.left + area.width - size);
      context.beginPath();
      context.moveTo(inside, area.top + 1.5 * ratio);
      context.lineTo(inside + size, area.top + 10 * ratio);
      context.lineTo(inside - size, area.top + 10 * ratio);
      context.closePath();
      context.fill();
    }
  }
  if (!showsEnd) return;
  const end = lastFinite(line.yPositions);
  if (end < 0) return;
  const x = toX.offset + toX.factor * line.xPositions[end]!;
  // An end above the chart is marked at its top.
  const y = Math.max(toY.offset + toY.factor * line.yPositions[end]!, area.top + 6 * ratio);
  context.lineWidth = 2 * ratio;
  context.beginPath();
  if (status === "diverged") {
    const arm = 4 * ratio;
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x - arm, y + arm);
    context.lineTo(x + arm, y - arm);
    context.stroke();
  } else {
    context.arc(x, y, 3.5 * ratio, 0, 2 * Math.PI);
    context.fill();
    context.strokeStyle = ink.surface;
    context.lineWidth = 1.5 * ratio;
    context.stroke();
  }
}

function lastFinite(column: Float64Array): number {
  let i = column.length - 1;
  while (i >= 0 && !Number.isFinite(column[i]!)) i--;
  return i;
}
