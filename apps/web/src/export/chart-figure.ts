/** A chart as a figure for a paper or a slide: vector, with title, legend and units. Loaded only when one is saved. */
import { areaY, line, plot, ruleY, text } from "@observablehq/plot";
import type { Content } from "../charts/paint.js";
import type { LegendLine } from "../charts/content.js";
import type { ChartDefinition } from "../charts/measures.js";
import { visibleRange } from "../charts/line.js";
import { font, type Ink } from "../charts/paint.js";
import { formatTick } from "../format/number.js";
import { ticks } from "../charts/scale.js";

export interface FigureOptions {
  readonly definition: ChartDefinition;
  readonly content: Content;
  readonly lines: readonly LegendLine[];
  readonly xLabel: string;
  readonly ink: Ink;
  readonly colourOf: (runId: string) => string;
}

const width = 720;
const plotHeight = 400;
const margin = { top: 60, left: 64, right: 24 };
/** From the plot's foot to the legend: the ticks, and the axis label. */
const legendTop = 68;
/** Height of a row of the legend. */
const rowHeight = 18;
/** Of more runs, a legend would be longer than the chart. */
const mostRows = 12;

/** The SVG element of a figure, `width` wide, on an opaque ground. */
export function chartFigure({ definition, content, lines, xLabel, ink, colourOf }: FigureOptions): SVGSVGElement {
  const runs = [...new Map(lines.map(({ run }) => [run.id, run])).values()];
  const measures = definition.measures.filter((measure) => lines.some((candidate) => candidate.measure === measure));
  const rows = Math.min(runs.length, mostRows) + 1;
  const marginBottom = legendTop + rows * rowHeight;
  const axis = (scale: Content["xScale"], domain: Content["xDomain"], most: number) => ({
    domain: [...domain],
    ticks: ticks(scale, domain, most),
    tickFormat: formatTick,
    ...(scale.kind === "log"
      ? { type: "log" as const }
      : scale.kind === "asinh"
        ? { type: "symlog" as const, constant: scale.threshold }
        : {}),
  });
  const [from, to] = content.xDomain;
  const [low, high] = content.yDomain;
  const drawn = lines.map((item) => ({ ...item, points: pointsOf(item, content) }));
  const svg = plot({
    width,
    height: margin.top + plotHeight + marginBottom,
    marginTop: margin.top,
    marginLeft: margin.left,
    marginRight: margin.right,
    marginBottom,
    style: { background: ink.surface, color: ink.text, fontFamily: font, fontSize: "12px" },
    x: { ...axis(content.xScale, content.xDomain, 8), label: null },
    y: { ...axis(content.yScale, content.yDomain, 8), label: null, grid: true },
    marks: [
      content.edge === null
        ? null
        : areaY([from, to], { x: (x: number) => x, y1: content.edge.value, y2: high, fill: ink.beyond, clip: true }),
      drawn.map(({ run, points }) =>
        areaY(
          points.filter(({ lower, upper }) => lower <= upper),
          { x: "x", y1: "lower", y2: "upper", fill: colourOf(run.id), fillOpacity: 0.16, clip: true },
        ),
      ),
      content.edge === null
        ? null
        : [
            ruleY([content.edge.value], { stroke: ink.edge, strokeWidth: 1.5 }),
            text([content.edge.label], {
              x: to,
              y: content.edge.value,
              fill: ink.edge,
              textAnchor: "end",
              lineAnchor: "bottom",
              dx: -6,
              dy: -4,
            }),
          ],
      ruleY(
        content.runEdges.filter(({ value }) => value >= low && value <= high),
        { y: "value", stroke: (edge: { runId: string }) => colourOf(edge.runId), strokeDasharray: "3,3" },
      ),
      drawn.map(({ run, measure, points }) =>
        line(points, {
          x: "x",
          y: "y",
          stroke: colourOf(run.id),
          strokeWidth: measure.width,
          strokeDasharray: measure.dash.join(","),
          clip: true,
        }),
      ),
    ],
  }) as SVGSVGElement;
  svg.append(
    label(definition.title, margin.left, 24, { weight: "600", size: "16px", fill: ink.text }),
    label(definition.axisLabel, margin.left, 46, { fill: ink.muted }),
    label(xLabel, (margin.left + width - margin.right) / 2, margin.top + plotHeight + 40, {
      fill: ink.muted,
      anchor: "middle",
    }),
  );

  const top = margin.top + plotHeight + legendTop;
  let left = margin.left;
  for (const { label: name, dash, width: thickness } of measures) {
    svg.append(sample(left, top - 4, ink.text, dash, thickness), label(name, left + 36, top, { fill: ink.text }));
    left += 52 + 8 * name.length;
  }
  runs.slice(0, mostRows).forEach((run, i) => {
    const y = top + (i + 1) * rowHeight;
    svg.append(
      sample(margin.left, y - 4, colourOf(run.id), [], 6),
      label(run.name, margin.left + 36, y, { fill: ink.text }),
    );
  });
  if (runs.length > mostRows) {
    svg.append(label(`and ${runs.length - mostRows} more runs`, 360, top + rowHeight, { fill: ink.muted }));
  }
  return svg;
}

/** What a line shows in view: infinite and missing values are gaps. */
function pointsOf({ line: { x, values, errors, yPositions }, line: whole }: LegendLine, content: Content) {
  const [from, to] = visibleRange(whole, content.xDomain);
  const floor = content.yScale.kind === "log" ? content.yDomain[0] : -Infinity;
  return Array.from({ length: Math.max(0, to - from) }, (_, k) => {
    const i = from + k;
    const shown = !Number.isNaN(yPositions[i]!);
    const error = errors?.[i] ?? NaN;
    return {
      x: x[i]!,
      y: shown ? values[i]! : NaN,
      lower: shown ? Math.max(values[i]! - error, floor) : NaN,
      upper: shown ? values[i]! + error : NaN,
    };
  });
}

interface LabelStyle {
  readonly fill: string;
  readonly weight?: string;
  readonly size?: string;
  readonly anchor?: "start" | "middle";
}

function label(content: string, x: number, y: number, style: LabelStyle): SVGElement {
  const { fill, weight = "400", size = "12px", anchor = "start" } = style;
  const element = svgElement("text", { x, y, fill, "font-weight": weight, "font-size": size, "text-anchor": anchor });
  // `λ_max` as λ with a subscript, as on the page.
  for (const [i, part] of content.split(/_([A-Za-z]+)/).entries()) {
    const span = svgElement("tspan", i % 2 === 1 ? { "baseline-shift": "sub", "font-size": "0.75em" } : {});
    span.textContent = part;
    element.append(span);
  }
  return element;
}

function sample(x: number, y: number, stroke: string, dash: readonly number[], thickness: number): SVGElement {
  return svgElement("line", {
    x1: x,
    x2: x + 28,
    y1: y,
    y2: y,
    stroke,
    "stroke-width": thickness,
    "stroke-dasharray": dash.join(" "),
  });
}

function svgElement(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
