import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Ink } from "../charts/paint.js";
import { padded, type Scale } from "../charts/scale.js";
import { Axes, pixels, type AxisSpec, type Frame } from "../figures/Axes.js";
import { FigurePanel } from "../figures/FigurePanel.js";
import { SvgMath } from "../figures/SvgMath.js";
import { formatCount, formatValue } from "../format/number.js";
import { Notice } from "../ui/Notice.js";
import { Segmented } from "../ui/Segmented.js";
import { amountColour, channels } from "../view/colour-scale.js";
import { usePage } from "../view/page.js";
import type { Theme } from "../view/palette.js";
import type { ProbeProps } from "./probe-props.js";
import { hessianDensity, probeSpectrum, recordAt, recordsOf } from "./record-data.js";
import { binLimits, columnEnds, countDensity, countEigenvalues, type SpectrumColumn } from "./spectrum-map.js";

/** The map's bins, for so many eigenvalues: some in each, and each a few pixels high. */
const binsFor = (eigenvalues: number) => Math.min(96, Math.max(32, Math.round(eigenvalues / 3)));
const height = 320;
const matrices = [
  { value: "ntk", label: "Kernel" },
  { value: "hessian", label: "Hessian" },
] as const;
type Matrix = (typeof matrices)[number]["value"];

interface SpectrumMap {
  readonly matrix: Matrix;
  readonly columns: readonly SpectrumColumn[];
  readonly limits: Float64Array;
  readonly y: AxisSpec;
  /** In one bin. */
  readonly most: number;
}

/** The spectrum over the run as a heat map: steps to the right, eigenvalues upward, the more of them the stronger the colour. */
export function SpectrumPanel({ records, step, status, run }: ProbeProps) {
  const page = usePage();
  const chosen = useSignal<Matrix>("ntk");
  const maps = useMemo(() => ({ ntk: kernelMap(records), hessian: hessianMap(records) }), [records]);
  const map = maps[chosen.value] ?? maps.ntk ?? maps.hessian;
  const { xLog } = page.view.value;
  const xScale: Scale = xLog ? { kind: "asinh", threshold: 1 } : { kind: "linear" };
  const theme = page.theme.value;
  const current = map === null ? null : recordAt(map.columns, step);
  return (
    <FigurePanel
      id="spectrum"
      title="Spectrum"
      subtitle={
        map?.matrix === "hessian"
          ? "eigenvalues of the Hessian of the training loss, by stochastic Lanczos quadrature"
          : "nonzero eigenvalues of the kernel on the probe"
      }
      controls={
        maps.ntk !== null &&
        maps.hessian !== null && (
          <Segmented
            label="Spectrum of"
            options={matrices}
            value={chosen.value}
            onChange={(value) => (chosen.value = value)}
          />
        )
      }
      csv={() => (map === null ? "" : csvOf(map))}
      draw={(width, ink) =>
        map === null ? (
          status === "loading" ? (
            <div class="skeleton figure-empty" role="status" aria-label="Reading" />
          ) : (
            <Notice title="No spectrum has been recorded.">
              <p>The probe of the noise kernel records one wherever it measures.</p>
            </Notice>
          )
        ) : (
          <HeatMap
            map={map}
            end={Math.max(run.step, map.columns.at(-1)!.step, 1)}
            xScale={xScale}
            shownStep={current?.step ?? NaN}
            width={width}
            ink={ink}
            theme={theme}
          />
        )
      }
    >
      {current !== null && map !== null && (
        <p class="figure-note" role="status">
          step {formatCount(current.step)}: {describe(current)}
        </p>
      )}
    </FigurePanel>
  );
}

interface HeatMapProps {
  readonly map: SpectrumMap;
  /** The last step of the run. */
  readonly end: number;
  readonly xScale: Scale;
  readonly shownStep: number;
  readonly width: number;
  readonly ink: Ink;
  readonly theme: Theme;
}

function HeatMap({ map, end, xScale, shownStep, width, ink, theme }: HeatMapProps) {
  const frame: Frame = { left: 52, top: 26, width: width - 52 - 16, height: height - 26 - 84 };
  const x: AxisSpec = { scale: xScale, domain: [0, end], label: "step" };
  const at = pixels(frame, x, map.y);
  const steps = map.columns.map((column) => column.step);
  const ends = useMemo(() => columnEnds(steps, xScale, end), [map, xScale.kind, end]);
  const image = useMemo(() => {
    const edges = ends.map((step) => Math.round(at.x(step) - frame.left));
    return paint(map, edges, Math.max(1, Math.round(frame.width)), theme);
  }, [map, ends, width, theme]);
  const marked = map.columns.filter(({ edge }) => edge >= map.y.domain[0] && edge <= map.y.domain[1]);
  const line = marked.map((column) => {
    const place = map.columns.indexOf(column);
    return `M${at.x(place === 0 ? 0 : ends[place - 1]!)} ${at.y(column.edge)}H${at.x(ends[place]!)}`;
  });
  const legendTop = frame.top + frame.height + 52;
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label="Heat map: how many eigenvalues lie where, over the steps of the run"
    >
      <image
        href={image}
        x={frame.left}
        y={frame.top}
        width={frame.width}
        height={frame.height}
        preserveAspectRatio="none"
        style={{ imageRendering: "pixelated" }}
      />
      <Axes frame={frame} x={x} y={map.y} ink={{ ...ink, grid: "transparent" }} />
      <rect x={frame.left} y={frame.top} width={frame.width} height={frame.height} fill="none" stroke={ink.grid} />
      {line.length > 0 && (
        <>
          <path d={line.join("")} stroke={ink.surface} stroke-width="4" fill="none" />
          <path d={line.join("")} stroke={ink.edge} stroke-width="1.5" fill="none" />
          <text
            x={frame.left + frame.width - 6}
            y={at.y(marked.at(-1)!.edge) - 6}
            fill={ink.edge}
            text-anchor="end"
            stroke={ink.surface}
            stroke-width="3"
            paint-order="stroke"
          >
            deterministic edge
          </text>
        </>
      )}
      {shownStep >= 0 && (
        <line
          x1={at.x(shownStep)}
          x2={at.x(shownStep)}
          y1={frame.top}
          y2={frame.top + frame.height}
          stroke={ink.muted}
          stroke-dasharray="3 3"
        />
      )}
      <ColourKey x={frame.left} y={legendTop} most={map.most} ink={ink} theme={theme} />
    </svg>
  );
}

function ColourKey({ x, y, most, ink, theme }: { x: number; y: number; most: number; ink: Ink; theme: Theme }) {
  const length = 120;
  const stops = Array.from({ length: 24 }, (_, i) => i / 23);
  return (
    <g>
      {stops.map((share, i) => (
        <rect
          key={share}
          x={x + (i * length) / stops.length}
          y={y}
          width={length / stops.length + 0.5}
          height="9"
          fill={amountColour(share, theme)}
        />
      ))}
      <rect x={x} y={y} width={length} height="9" fill="none" stroke={ink.grid} />
      <text x={x} y={y + 22} fill={ink.muted}>
        0
      </text>
      <text x={x + length} y={y + 22} fill={ink.muted} text-anchor="middle">
        {formatValue(most, 2)}
      </text>
      <SvgMath x={x + length + 16} y={y + 9} fill={ink.muted} text="eigenvalues a bin, log" />
    </g>
  );
}

/** The map as a picture, one pixel a bin upward, as a data address. */
function paint({ columns, most }: SpectrumMap, ends: readonly number[], width: number, theme: Theme): string {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  const bins = columns[0]!.counts.length;
  canvas.height = bins;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, bins);
  const top = Math.log1p(most);
  columns.forEach(({ counts }, i) => {
    const colours = Array.from(counts, (count) => channels(amountColour(Math.log1p(count) / top, theme)));
    for (let x = i === 0 ? 0 : ends[i - 1]!; x < Math.min(width, ends[i]!); x++) {
      for (let bin = 0; bin < bins; bin++) {
        const at = 4 * ((bins - 1 - bin) * width + x);
        const [r, g, b] = colours[bin]!;
        image.data[at] = r!;
        image.data[at + 1] = g!;
        image.data[at + 2] = b!;
        image.data[at + 3] = 255;
      }
    }
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function kernelMap(records: ProbeProps["records"]): SpectrumMap | null {
  const spectra = recordsOf(records, "spectrum/ntk", probeSpectrum);
  const largest = spectra.reduce((most, { eigenvalues }) => Math.max(most, finite(eigenvalues.at(-1))), 0);
  if (!(largest > 0)) return null;
  const highest = spectra.reduce((most, { edge }) => (edge < 30 * largest ? Math.max(most, edge) : most), largest);
  const scale: Scale = { kind: "log" };
  const y: AxisSpec = { scale, domain: [largest * 1e-5, highest * 1.6], label: "eigenvalue λ (1/learning rate)" };
  const limits = binLimits(scale, y.domain, binsFor(spectra[0]!.eigenvalues.length));
  const columns = spectra.map((spectrum) => ({
    step: spectrum.step,
    edge: spectrum.edge,
    largest: spectrum.eigenvalues.at(-1) ?? NaN,
    counts: countEigenvalues(spectrum, limits),
  }));
  return { matrix: "ntk", columns, limits, y, most: mostOf(columns) };
}

function hessianMap(records: ProbeProps["records"]): SpectrumMap | null {
  const densities = recordsOf(records, "spectrum/hessian", hessianDensity);
  if (densities.length === 0) return null;
  const low = Math.min(...densities.map(({ grid }) => grid[0]!));
  const high = Math.max(...densities.map(({ grid }) => grid.at(-1)!));
  if (!(low < high) || !(high < Infinity)) return null;
  const edges = densities.map(({ edge }) => edge).filter((edge) => edge < 30 * high);
  const scale: Scale = { kind: "asinh", threshold: Math.max(Math.abs(low), high) / 200 };
  const domain = padded(scale, [low, Math.max(high, ...edges)], 0.04);
  const y: AxisSpec = { scale, domain, label: "eigenvalue λ (1/learning rate)" };
  const limits = binLimits(scale, domain, binsFor(Infinity));
  const columns = densities.map((density) => ({
    step: density.step,
    edge: density.edge,
    largest: density.lambdaMax,
    counts: countDensity({ ...density, size: density.size > 0 ? density.size : 1 }, limits),
  }));
  return { matrix: "hessian", columns, limits, y, most: mostOf(columns) };
}

const finite = (value: number | undefined) => (value !== undefined && value < Infinity ? value : 0);

const mostOf = (columns: readonly SpectrumColumn[]) =>
  Math.max(1, ...columns.map(({ counts }) => counts.reduce((most, count) => Math.max(most, count), 0)));

/** A column in words, for those who do not see the map. */
function describe({ largest, edge }: SpectrumColumn): string {
  const words = `largest eigenvalue ${formatValue(largest)}`;
  return edge > 0 ? `${words}, deterministic edge at ${formatValue(edge)}` : words;
}

function csvOf({ columns, limits }: SpectrumMap): string {
  const rows = ["step,lambda_from,lambda_to,eigenvalues"];
  for (const { step, counts } of columns) {
    counts.forEach((count, i) => {
      if (count > 0) rows.push([step, limits[i], limits[i + 1], count].join(","));
    });
  }
  return `${rows.join("\r\n")}\r\n`;
}
