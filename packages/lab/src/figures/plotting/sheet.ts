import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { powerOfTen, richText, textWidth } from "./rich-text.js";
import { fontFamily, type Theme } from "./theme.js";

export interface Axis {
  /** With its unit, or "dimensionless". Marked up: `λ_{max}`. */
  readonly label: string;
  readonly type?: "linear" | "log";
  readonly domain: readonly [number, number];
  /** Where ticks stand. Default: powers of ten on a log axis, five or so round numbers on a linear one. */
  readonly ticks?: readonly number[];
  readonly tickFormat?: (value: number) => string;
}

export interface LegendEntry {
  /** Marked up. */
  readonly label: string;
  readonly colour: string;
  readonly symbol?: "line" | "dashed" | "dotted" | "dot" | "ring" | "triangle" | "band";
}

export interface Panel {
  /** Marked up; stands after the panel's letter. */
  readonly title: string;
  readonly legend?: readonly LegendEntry[];
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Plot.Markish[];
}

export interface Sheet {
  readonly title: string;
  /** What was done, in a line or two. Marked up. */
  readonly subtitle: readonly string[];
  readonly panels: readonly Panel[];
  readonly columns: number;
  /** Of the plotting area of a panel, in pixels. Default 380 × 260. */
  readonly panelWidth?: number;
  readonly panelHeight?: number;
}

const margin = { left: 66, right: 22, top: 12, bottom: 46 };
const size = { title: 17, subtitle: 12, panelTitle: 13, label: 12, tick: 11, legend: 11 };
const legendLine = 17;
const outer = 20;

/** Draws panels in a grid, lettered a, b, c …, as one SVG document. Needs no stylesheet: every viewer shows the same. */
export function drawSheet(sheet: Sheet, theme: Theme): string {
  const { panels, columns, panelWidth = 380, panelHeight = 260 } = sheet;
  const { document } = new JSDOM("").window;
  const cellWidth = margin.left + panelWidth + margin.right;
  const head = outer + 14 + sheet.subtitle.length * 18 + 18;
  const rows = Array.from({ length: Math.ceil(panels.length / columns) }, (_, row) => {
    const cells = panels.slice(row * columns, (row + 1) * columns);
    const legendLines = Math.max(...cells.map((panel) => layLegend(panel.legend ?? [], panelWidth).lines));
    return { cells, legendHeight: legendLines * legendLine };
  });
  const rowHeight = (legendHeight: number) => 30 + legendHeight + margin.top + panelHeight + margin.bottom + 14;
  const width = 2 * outer + columns * cellWidth;
  const height = head + rows.reduce((sum, row) => sum + rowHeight(row.legendHeight), 0) + outer / 2;

  const svg = element(document, "svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "font-family": fontFamily,
    role: "img",
  });
  const title = element(document, "title", {});
  title.textContent = sheet.title;
  svg.append(title, element(document, "rect", { width, height, fill: theme.background }));
  svg.append(
    richText(document, sheet.title, { x: outer, y: outer + 12, size: size.title, fill: theme.ink, weight: 600 }),
  );
  sheet.subtitle.forEach((line, i) => {
    svg.append(
      richText(document, line, { x: outer, y: outer + 36 + i * 18, size: size.subtitle, fill: theme.mutedInk }),
    );
  });

  let top = head;
  let letter = "a".charCodeAt(0);
  for (const { cells, legendHeight } of rows) {
    cells.forEach((panel, column) => {
      const group = element(document, "g", {
        transform: `translate(${outer + column * cellWidth} ${top})`,
        "data-panel": String.fromCharCode(letter),
      });
      drawPanel(document, group, panel, String.fromCharCode(letter), { panelWidth, panelHeight, legendHeight, theme });
      letter++;
      svg.append(group);
    });
    top += rowHeight(legendHeight);
  }
  return `${svg.outerHTML}\n`;
}

interface Frame {
  readonly panelWidth: number;
  readonly panelHeight: number;
  readonly legendHeight: number;
  readonly theme: Theme;
}

function drawPanel(document: Document, group: Element, panel: Panel, letter: string, frame: Frame): void {
  const { panelWidth, panelHeight, legendHeight, theme } = frame;
  const letterStyle = { y: 16, size: size.panelTitle + 2, fill: theme.ink, weight: 600 } as const;
  group.append(richText(document, letter, { x: margin.left, ...letterStyle }));
  group.append(
    richText(document, panel.title, {
      x: margin.left + 18,
      y: 16,
      size: size.panelTitle,
      fill: theme.ink,
      weight: 600,
    }),
  );
  for (const { entry, x, line } of layLegend(panel.legend ?? [], panelWidth).placed) {
    const place = element(document, "g", { transform: `translate(${margin.left + x} ${30 + line * legendLine})` });
    place.append(
      legendSymbol(document, entry),
      richText(document, entry.label, { x: 26, y: 9, size: size.legend, fill: theme.ink }),
    );
    group.append(place);
  }

  const plotTop = 30 + legendHeight;
  const plot = plotPanel(document, panel, frame);
  plot.setAttribute("transform", `translate(0 ${plotTop})`);
  group.append(plot);

  const middleX = margin.left + panelWidth / 2;
  const middleY = plotTop + margin.top + panelHeight / 2;
  const bottom = plotTop + margin.top + panelHeight + 38;
  const label = { size: size.label, fill: theme.ink, anchor: "middle" } as const;
  group.append(richText(document, panel.x.label, { ...label, x: middleX, y: bottom }));
  group.append(richText(document, panel.y.label, { ...label, x: 16, y: middleY, rotate: -90 }));
}

function plotPanel(document: Document, panel: Panel, { panelWidth, panelHeight, theme }: Frame): Element {
  const axis = (mark: typeof Plot.axisX, options: Axis) =>
    mark({
      ticks: [...ticksOf(options)],
      // Not `tickFormat`, which on a log scale leaves labels out where d3 finds them many.
      text: options.tickFormat ?? ((value: number) => formatTick(value, options.type)),
      label: null,
      color: theme.mutedInk,
      stroke: theme.axis,
      tickSize: 4,
      fontSize: size.tick,
    });
  const grid = { stroke: theme.grid, strokeOpacity: 1 };
  const plot = Plot.plot({
    document,
    width: margin.left + panelWidth + margin.right,
    height: margin.top + panelHeight + margin.bottom,
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    style: { background: "transparent", color: theme.ink, fontFamily },
    x: { type: panel.x.type ?? "linear", domain: [...panel.x.domain], label: null },
    y: { type: panel.y.type ?? "linear", domain: [...panel.y.domain], label: null },
    marks: [
      Plot.gridX({ ticks: [...ticksOf(panel.x)], ...grid }),
      Plot.gridY({ ticks: [...ticksOf(panel.y)], ...grid }),
      Plot.frame({ stroke: theme.axis }),
      axis(Plot.axisX, panel.x),
      axis(Plot.axisY as typeof Plot.axisX, panel.y),
      ...panel.marks,
    ],
  });
  makeSelfContained(plot, theme);
  // A group and no nested <svg>, whose own viewport clips as well: resvg drops what two clips hold.
  const group = element(document, "g", { "font-family": fontFamily, "text-anchor": "middle", fill: theme.ink });
  group.append(...plot.childNodes);
  return group;
}

/** Plot leans on a stylesheet with custom properties, which rasterisers do not read: everything becomes an attribute. */
function makeSelfContained(plot: Element, theme: Theme): void {
  for (const style of plot.querySelectorAll("style")) style.remove();
  for (const node of [plot, ...plot.querySelectorAll("*")]) {
    node.removeAttribute("class");
    node.removeAttribute("aria-label");
    node.removeAttribute("style");
    for (const name of ["fill", "stroke"]) {
      if (node.getAttribute(name) === "currentColor") node.setAttribute(name, theme.ink);
    }
  }
}

function ticksOf({ type = "linear", domain: [low, high], ticks }: Axis): readonly number[] {
  if (ticks !== undefined) return ticks;
  if (type === "linear") return linearTicks(low, high);
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.ceil((last - first + 1) / 8);
  const powers: number[] = [];
  for (let exponent = first; exponent <= last; exponent++) {
    if ((exponent - first) % every === 0) powers.push(10 ** exponent);
  }
  return powers;
}

/** Multiples of 1, 2 or 5 times a power of ten, at least four of them. */
function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.99)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function formatTick(value: number, type: Axis["type"] = "linear"): string {
  if (type === "log") {
    const exponent = Math.round(Math.log10(value));
    return Math.abs(10 ** exponent / value - 1) < 1e-9 ? powerOfTen(exponent) : String(value);
  }
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 6 }).replace(/^-/, "−");
}

interface PlacedLegend {
  readonly placed: readonly { readonly entry: LegendEntry; readonly x: number; readonly line: number }[];
  readonly lines: number;
}

/** Entries side by side, in columns of equal width, as many to a line as fit. */
function layLegend(entries: readonly LegendEntry[], width: number): PlacedLegend {
  if (entries.length === 0) return { placed: [], lines: 0 };
  const widest = Math.max(...entries.map(({ label }) => 26 + textWidth(label, size.legend) + 14));
  const perLine = Math.max(1, Math.min(entries.length, Math.floor((width + 14) / widest)));
  const lines = Math.ceil(entries.length / perLine);
  const even = Math.ceil(entries.length / lines);
  return {
    placed: entries.map((entry, i) => ({ entry, x: (i % even) * (width / even), line: Math.floor(i / even) })),
    lines,
  };
}

function legendSymbol(document: Document, { colour, symbol = "line" }: LegendEntry): Element {
  switch (symbol) {
    case "dot":
      return element(document, "circle", { cx: 10, cy: 5, r: 3.4, fill: colour });
    case "ring":
      return element(document, "circle", { cx: 10, cy: 5, r: 3.2, fill: "none", stroke: colour, "stroke-width": 1.6 });
    case "triangle":
      return element(document, "path", { d: "M10 1.2 L14 8.4 L6 8.4 Z", fill: colour });
    case "band":
      return element(document, "rect", { x: 0, y: 0, width: 20, height: 10, fill: colour, "fill-opacity": 0.25 });
    case "line":
    case "dashed":
    case "dotted":
      return element(document, "line", {
        x1: 0,
        x2: 20,
        y1: 5,
        y2: 5,
        stroke: colour,
        "stroke-width": 2,
        ...(symbol === "line" ? {} : { "stroke-dasharray": symbol === "dashed" ? "5 3" : "1.5 3" }),
      });
  }
}

function element(document: Document, name: string, attributes: Readonly<Record<string, string | number>>): Element {
  const created = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  return created;
}
