import { useEffect, useRef } from "preact/hooks";
import { readInk } from "../charts/ink.js";
import { Plot } from "../charts/plot.js";
import { padded, type Domain, type Scale } from "../charts/scale.js";
import type { Theme } from "../view/palette.js";
import { LineSample } from "../ui/icons.js";
import { MathText } from "../ui/MathText.js";
import { strokeOf, type LiveLine } from "./live-line.js";

interface LiveChartProps {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  /** Of the vertical axis, with its unit. */
  readonly axisLabel: string;
  readonly lines: readonly LiveLine[];
  /** Last values for the legend, one for each line. */
  readonly readings: readonly string[];
  readonly yScale: Scale;
  readonly edge?: { readonly value: number; readonly label: string };
  readonly theme: Theme;
  /** What the chart shows at this moment, in words. */
  readonly description: string;
}

/** A chart of readings against steps, as they come. */
export function LiveChart(props: LiveChartProps) {
  const { id, title, subtitle, axisLabel, lines, readings, yScale, edge, theme, description } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const content = {
    strokes: lines.map((line, i) => strokeOf(line, yScale, i === 0)),
    runEdges: [],
    runEdgeLabel: null,
    edge: edge ?? null,
    xDomain: [0, Math.max(100, ...lines.map(({ steps }) => steps.at(-1) ?? 0))] as const,
    yDomain: yDomainOf(lines, yScale, edge?.value),
    xScale: { kind: "linear" } as const,
    yScale,
  };
  const latest = useRef(content);
  latest.current = content;

  useEffect(() => {
    const element = host.current!;
    const draw = () => {
      if (element.clientWidth === 0) return;
      const { clientWidth: width, clientHeight: height } = element;
      plot.current ??= new Plot(element, latest.current, readInk(theme), "step (updates)", width, height);
      plot.current.resize(width, height);
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    draw();
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => plot.current?.update(content, readInk(theme)));

  const points = lines.reduce((sum, { values }) => sum + values.length, 0);
  return (
    <section class="panel chart" data-chart={id} data-points={points}>
      <header class="panel-head">
        <div>
          <h2>{title}</h2>
          <p class="subtitle">
            <MathText text={subtitle} />
          </p>
        </div>
        <ul class="key">
          {lines.map(({ name, colour, dash }, i) => (
            <li key={name}>
              <LineSample dash={dash} width={2} colour={colour} />
              <span>
                <MathText text={name} />
              </span>
              <strong>{readings[i]}</strong>
            </li>
          ))}
        </ul>
      </header>
      <p class="axis-label">
        <MathText text={axisLabel} />
      </p>
      <div class="plot" ref={host} role="img" aria-label={description} />
    </section>
  );
}

/** From 0, or from the lowest on a logarithmic axis, to a little above the highest; an edge is in view with room beyond it. */
function yDomainOf(lines: readonly LiveLine[], scale: Scale, edge: number | undefined): Domain {
  const finite = lines.flatMap(({ values }) => values.filter((value) => Number.isFinite(value)));
  const positive = scale.kind === "log" ? finite.filter((value) => value > 0) : finite;
  if (scale.kind === "log") {
    return positive.length === 0 ? [0.1, 10] : padded(scale, [Math.min(...positive), Math.max(...positive)], 0.08);
  }
  // A reading far above the edge would press the edge to the ground.
  const highest = Math.min(Math.max(0, ...positive), edge === undefined ? Infinity : 3 * edge);
  const top = Math.max(highest, edge === undefined ? 0 : 1.6 * edge);
  return [0, top > 0 ? 1.06 * top : 1];
}
