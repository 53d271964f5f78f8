import uPlot from "uplot";
import { formatTick } from "../format/number.js";
import { LineLayer } from "./line-layer.js";
import {
  font,
  mappings,
  paintBeyond,
  paintContent,
  paintHighlight,
  type Area,
  type Content,
  type Ink,
} from "./paint.js";
import { project, ticks, unproject, type Scale } from "./scale.js";

/** What the cursor shows on a chart: a vertical line and a dot on each line. Positions in axis units. */
export interface CursorMarks {
  readonly x: number;
  readonly dots: readonly { readonly x: number; readonly y: number; readonly colour: string }[];
}

/**
 * A canvas with axes. uPlot lays out and draws the axes; the lines come from `paintContent`, because runs have steps of
 * their own (uPlot wants one column of x for all) and there may be hundreds. A second canvas above it holds what moves with the pointer, so
 * that a cursor never redraws the lines.
 */
export class Plot {
  /** The plotting area, above everything: where pointer events arrive. */
  readonly surface: HTMLElement;
  readonly #plot: uPlot;
  readonly #overlay: HTMLCanvasElement;
  readonly #lines = new LineLayer(() => this.#plot.redraw(false, false));
  /** Whether there is anything on the overlay. */
  #hasOverlay = false;
  #content: Content;
  #ink: Ink;
  /** Of the whole chart, axes included. uPlot asks for ticks before it has laid out the surface. */
  #size: { readonly width: number; readonly height: number };

  constructor(host: HTMLElement, content: Content, ink: Ink, xLabel: string, width: number, height: number) {
    this.#content = content;
    this.#ink = ink;
    this.#size = { width, height };
    this.#plot = new uPlot(this.#options(xLabel, width, height), [[0, 1]], host);
    this.surface = this.#plot.over;
    this.#overlay = document.createElement("canvas");
    this.#overlay.className = "chart-overlay";
    this.surface.append(this.#overlay);
    this.update(content, ink);
  }

  update(content: Content, ink: Ink): void {
    this.#content = content;
    this.#ink = ink;
    const { xDomain, yDomain } = content;
    this.#plot.batch(() => {
      this.#plot.setData([[xDomain[0], xDomain[1]]], false);
      this.#plot.setScale("x", { min: xDomain[0], max: xDomain[1] });
      this.#plot.setScale("y", { min: yDomain[0], max: yDomain[1] });
    });
  }

  resize(width: number, height: number): void {
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    this.#plot.setSize(this.#size);
  }

  destroy(): void {
    this.#lines.close();
    this.#plot.destroy();
  }

  /** The value on the horizontal axis at a pixel of the surface. */
  valueAt(left: number): number {
    const { toX } = mappings(this.#content, this.#surfaceArea());
    return unproject(this.#content.xScale, (left - toX.offset) / toX.factor);
  }

  /** How far below the top of the surface a value lies, in pixels; null where the axis has no place for it. */
  topOf(value: number): number | null {
    const { toY } = mappings(this.#content, this.#surfaceArea());
    const top = toY.offset + toY.factor * project(this.#content.yScale, value);
    return Number.isNaN(top) ? null : top;
  }

  /** What moves: the highlighted run, the cursor, the stretch being drawn out. */
  paintOverlay(
    highlighted: string | null,
    marks: CursorMarks | null,
    selection: readonly [number, number] | null,
  ): void {
    const isEmpty = highlighted === null && marks === null && selection === null;
    // A canvas that is touched is painted again, also where nothing changes on it.
    if (isEmpty && !this.#hasOverlay) return;
    this.#hasOverlay = !isEmpty;
    const context = this.#overlay.getContext("2d");
    if (context === null) return;
    const ratio = devicePixelRatio;
    const { width, height } = this.#surfaceArea();
    if (this.#overlay.width !== Math.round(width * ratio) || this.#overlay.height !== Math.round(height * ratio)) {
      this.#overlay.width = Math.round(width * ratio);
      this.#overlay.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (highlighted !== null) paintHighlight(context, this.#content, highlighted, this.#surfaceArea(), this.#ink);
    if (selection !== null) {
      context.fillStyle = this.#ink.text;
      context.globalAlpha = 0.1;
      context.fillRect(Math.min(...selection), 0, Math.abs(selection[1] - selection[0]), height);
      context.globalAlpha = 1;
    }
    if (marks === null) return;
    const { toX, toY } = mappings(this.#content, this.#surfaceArea());
    const at = (x: number) => toX.offset + toX.factor * project(this.#content.xScale, x);
    const x = at(marks.x);
    if (!(x >= 0 && x <= width)) return;
    context.strokeStyle = this.#ink.muted;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, 0);
    context.lineTo(Math.round(x) + 0.5, height);
    context.stroke();
    for (const dot of marks.dots) {
      const y = toY.offset + toY.factor * project(this.#content.yScale, dot.y);
      if (!(y >= 0 && y <= height)) continue;
      context.beginPath();
      context.arc(at(dot.x), y, 3.5, 0, 2 * Math.PI);
      context.fillStyle = dot.colour;
      context.fill();
      context.strokeStyle = this.#ink.surface;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }

  /** The surface in CSS pixels, from uPlot's own layout: asking the document would make it lay out again. */
  #surfaceArea(): Area {
    const { width, height } = this.#plot.bbox;
    return { left: 0, top: 0, width: width / uPlot.pxRatio, height: height / uPlot.pxRatio, ratio: 1 };
  }

  #options(xLabel: string, width: number, height: number): uPlot.Options {
    const axis = {
      stroke: () => this.#ink.muted,
      font: `11px ${font}`,
      labelFont: `11px ${font}`,
      grid: { stroke: () => this.#ink.grid, width: 1 },
    };
    const area = (plot: uPlot): Area => ({ ...plot.bbox, ratio: uPlot.pxRatio });
    return {
      width,
      height,
      padding: [8, 22, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, ...distribution(this.#content.xScale) },
        y: { ...distribution(this.#content.yScale) },
      },
      axes: [
        {
          ...axis,
          label: xLabel,
          labelSize: 18,
          labelGap: 0,
          size: 26,
          gap: 4,
          ticks: { show: false },
          splits: () => ticks(this.#content.xScale, this.#content.xDomain, Math.max(2, this.#size.width / 84)),
          values: (_, values) => values.map(formatTick),
          filter: (_, values) => values,
        },
        {
          ...axis,
          size: 50,
          gap: 6,
          ticks: { show: false },
          splits: () => ticks(this.#content.yScale, this.#content.yDomain, Math.max(2, this.#size.height / 36)),
          values: (_, values) => values.map(formatTick),
          filter: (_, values) => values,
        },
      ],
      series: [{}],
      hooks: {
        drawClear: [(plot) => paintBeyond(plot.ctx, this.#content, area(plot), this.#ink)],
        draw: [(plot) => paintContent(plot.ctx, this.#content, area(plot), this.#ink, this.#lines.paint)],
      },
    };
  }
}

/** uPlot's name of a scale. */
function distribution(scale: Scale): uPlot.Scale {
  switch (scale.kind) {
    case "linear":
      return { distr: 1, auto: false };
    case "log":
      return { distr: 3, log: 10, auto: false };
    case "asinh":
      return { distr: 4, asinh: scale.threshold, auto: false };
  }
}
