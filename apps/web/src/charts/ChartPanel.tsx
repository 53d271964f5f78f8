import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { SaveMenu, type SaveFormat } from "../export/SaveMenu.js";
import { saveChart } from "../export/save-chart.js";
import { MathText } from "../ui/MathText.js";
import { usePage, type Page } from "../view/page.js";
import { describeX, xLabels } from "./axis-text.js";
import { contentOf, linesOf, type LegendLine } from "./content.js";
import { attachGestures } from "./gestures.js";
import { ChartLegend } from "./ChartLegend.js";
import { readInk } from "./ink.js";
import { readingAt } from "./legend.js";
import { neighbourOf, nearestRun } from "./locate.js";
import type { ChartDefinition } from "./measures.js";
import { Plot, type CursorMarks } from "./plot.js";
import { panned, within, zoomed, type Domain } from "./scale.js";

/** Dots and highlights follow the pointer for so many lines; beyond that they would hide what they mark. */
const mostDots = 24;

interface ChartPanelProps {
  readonly definition: ChartDefinition;
  /** In place of the definition's subtitle. */
  readonly note?: string | undefined;
  /** Controls of this chart alone. */
  readonly children?: ComponentChildren;
}

/** One chart: title, controls, canvas, legend with live values. All charts share cursor, zoom and horizontal axis. */
export function ChartPanel({ definition, note, children }: ChartPanelProps) {
  const page = usePage();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<{ readonly plot: Plot; readonly key: string; readonly detach: () => void } | null>(null);
  const lines = useSignal<readonly LegendLine[]>([]);
  const size = useSignal<{ readonly width: number; readonly height: number } | null>(null);
  const inView = useSignal(true);
  const points = useSignal(0);
  /** Grows whenever the chart has been painted. */
  const paints = useSignal(0);
  const pointerTop = useSignal<number | null>(null);
  const selecting = useSignal<readonly [number, number] | null>(null);

  /** Computed again when the data or the view change, not when the reader moves about. */
  const chartLines = useComputed(() => {
    void page.frame.value; // the data have changed
    void page.theme.value; // and with it the runs' colours
    return linesOf({
      definition,
      data: page.data,
      runs: page.shown.value,
      view: page.view.value,
      xScale: page.xScale.value,
      colourOf: (id) => page.colourOf(id),
    });
  });

  useEffect(() => {
    const element = host.current!;
    const resized = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: element.clientHeight };
    });
    // A chart that is scrolled away is not drawn again until it comes back.
    const scrolled = new IntersectionObserver((entries) => (inView.value = entries.at(-1)!.isIntersecting));
    resized.observe(element);
    scrolled.observe(element);
    return () => {
      resized.disconnect();
      scrolled.disconnect();
      plot.current?.detach();
      plot.current?.plot.destroy();
      plot.current = null;
    };
  }, []);

  useSignalEffect(() => {
    const theme = page.theme.value;
    const measured = size.value;
    if (measured === null || measured.width === 0 || (!inView.value && plot.current !== null)) return;
    const drawn = chartLines.value;
    const { x } = page.view.value;
    const content = contentOf(drawn, page.xDomain.value);
    lines.value = drawn.legend;
    const ink = readInk(theme);
    // uPlot fixes the kind of its scales when it is made.
    const key = JSON.stringify([drawn.xScale, drawn.yScale, x]);
    if (plot.current?.key !== key) {
      plot.current?.detach();
      plot.current?.plot.destroy();
      const made = new Plot(host.current!, content, ink, xLabels[x], measured.width, measured.height);
      plot.current = {
        plot: made,
        key,
        detach: attachGestures(
          made,
          gesturesOf(page, pointerTop, selecting, lines, () => made),
        ),
      };
    } else {
      plot.current.plot.resize(measured.width, measured.height);
      plot.current.plot.update(content, ink);
    }
    // uPlot paints in a microtask.
    queueMicrotask(() => {
      points.value = content.points;
      paints.value++;
    });
  });

  useSignalEffect(() => {
    void paints.value; // what lies above the lines follows them
    const current = plot.current?.plot;
    if (!current) return;
    current.paintOverlay(page.highlighted.value, marksAt(page.cursor.value, lines.value, page), selecting.value);
  });

  const save = async (format: SaveFormat) => {
    await saveChart(format, {
      definition,
      content: contentOf(chartLines.value, page.xDomain.value),
      lines: chartLines.value.legend,
      xAxis: page.view.value.x,
      ink: readInk(page.theme.value),
      colourOf: (id) => page.colourOf(id),
    });
  };
  const readout = useComputed(() => spokenReadout(page, definition, lines.value));
  const [low, high] = page.fullDomain.value;
  const keys = (event: KeyboardEvent) => handleKey(event, page, lines.value);
  const { log } = page.view.value;

  return (
    <section
      class="panel chart"
      aria-labelledby={`title-${definition.id}`}
      data-chart={definition.id}
      data-points={points}
    >
      <header class="panel-head">
        <div>
          <h2 id={`title-${definition.id}`}>{definition.title}</h2>
          <p class="subtitle">
            <MathText text={note ?? definition.subtitle} />
          </p>
        </div>
        <div class="controls">
          {children}
          <button
            type="button"
            class="toggle"
            aria-pressed={log.has(definition.id)}
            title="Logarithmic vertical axis"
            onClick={() => page.change({ log: flipped(log, definition.id) })}
          >
            log
          </button>
          <SaveMenu of={`the chart ${definition.title}`} onSave={save} />
        </div>
      </header>
      <p class="axis-label" aria-hidden="true">
        <MathText text={definition.axisLabel} />
      </p>
      <div
        ref={host}
        class="plot"
        role="slider"
        tabIndex={0}
        aria-label={`${definition.title}, ${definition.axisLabel}, against ${xLabels[page.view.value.x]}`}
        aria-valuemin={low}
        aria-valuemax={high}
        aria-valuenow={page.cursor.value ?? high}
        aria-valuetext={readout.value}
        aria-describedby="chart-keys"
        onKeyDown={keys}
        onBlur={() => (page.cursor.value = null)}
      />
      <ChartLegend
        definition={definition}
        lines={lines}
        pointerTop={pointerTop}
        positionOf={(line) => plotTop(plot.current?.plot, line, page.cursor.value)}
      />
    </section>
  );
}

/** Where a line is at the cursor, in pixels from the top of the chart; null where it is not. */
function plotTop(plot: Plot | undefined, line: LegendLine, x: number | null): number | null {
  const reading = readingAt(line, x);
  return plot === undefined || reading === null ? null : plot.topOf(reading.value);
}

function marksAt(x: number | null, lines: readonly LegendLine[], page: Page): CursorMarks | null {
  if (x === null) return null;
  const highlighted = page.highlighted.value;
  const marked = lines.length <= mostDots ? lines : lines.filter(({ run }) => run.id === highlighted);
  const dots = marked.flatMap((line) => {
    const reading = readingAt(line, x);
    return reading === null ? [] : [{ x: reading.x, y: reading.value, colour: page.colourOf(line.run.id) }];
  });
  return { x, dots };
}

function spokenReadout(page: Page, definition: ChartDefinition, lines: readonly LegendLine[]): string {
  const x = page.cursor.value;
  const where = x === null ? "latest" : describeX(page.view.value.x, x);
  const main = lines.filter(({ measure }) => measure === definition.measures[0]).slice(0, 6);
  const values = main.map((line) => {
    const reading = readingAt(line, x);
    const value = reading === null ? "not measured" : definition.format(reading.value, reading.error);
    return `${line.run.name} ${value}`;
  });
  return [where, ...values].join("; ");
}

function flipped<T>(set: ReadonlySet<T>, item: T): Set<T> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

/** The view, zoomed or moved, never past what there is; all of it is no zoom. */
function setZoom(page: Page, domain: Domain): void {
  const limits = page.fullDomain.value;
  const inside = within(page.xScale.value, domain, limits);
  page.zoom.value = inside[0] === limits[0] && inside[1] === limits[1] ? null : inside;
}

function gesturesOf(
  page: Page,
  pointerTop: { value: number | null },
  selecting: { value: readonly [number, number] | null },
  lines: { readonly value: readonly LegendLine[] },
  plotOf: () => Plot,
) {
  return {
    hover(at: { readonly x: number; readonly top: number } | null) {
      page.cursor.value = at?.x ?? null;
      pointerTop.value = at?.top ?? null;
      if (lines.value.length > mostDots) {
        page.highlighted.value = at === null ? null : nearestRun(lines.value, at.x, at.top, plotOf());
      }
    },
    selecting: (span: readonly [number, number] | null) => void (selecting.value = span),
    select: (from: number, to: number) => setZoom(page, [from, to]),
    pan: (share: number) => setZoom(page, panned(page.xScale.value, page.xDomain.value, share)),
    zoom: (about: number, factor: number) =>
      setZoom(page, zoomed(page.xScale.value, page.xDomain.value, about, factor)),
    reset: () => void (page.zoom.value = null),
  };
}

function handleKey(event: KeyboardEvent, page: Page, lines: readonly LegendLine[]): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const [low, high] = page.xDomain.value;
  const cursor = page.cursor.value;
  const about = cursor ?? (low + high) / 2;
  const direction = event.key === "ArrowLeft" ? -1 : 1;
  switch (event.key) {
    case "ArrowLeft":
    case "ArrowRight":
      if (event.shiftKey) setZoom(page, panned(page.xScale.value, page.xDomain.value, direction * 0.1));
      else page.cursor.value = neighbourOf(lines, cursor, direction) ?? cursor;
      break;
    case "Home":
      page.cursor.value = neighbourOf(lines, -Infinity, 1);
      break;
    case "End":
      page.cursor.value = neighbourOf(lines, Infinity, -1);
      break;
    case "+":
    case "=":
      setZoom(page, zoomed(page.xScale.value, page.xDomain.value, about, 1.5));
      break;
    case "-":
      setZoom(page, zoomed(page.xScale.value, page.xDomain.value, about, 1 / 1.5));
      break;
    case "0":
      page.zoom.value = null;
      break;
    case "Escape":
      page.cursor.value = null;
      break;
    default:
      return;
  }
  event.preventDefault();
}
