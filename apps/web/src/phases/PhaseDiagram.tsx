import type { Ink } from "../charts/paint.js";
import { padded, type Domain, type Scale } from "../charts/scale.js";
import { Axes, pixels, type AxisSpec, type Frame } from "../figures/Axes.js";
import { formatCount, formatSetting, formatValue } from "../format/number.js";
import { distanceColour, markColour } from "../view/colour-scale.js";
import type { Theme } from "../view/palette.js";
import type { ColourBy } from "../view/view-state.js";
import type { Curve } from "./curves.js";
import { neighbourMark, offsetOf, type Mark } from "./marks.js";
import { outcomeColour, outcomes, type Outcome } from "./outcome.js";

interface PhaseDiagramProps {
  readonly marks: readonly Mark[];
  readonly stochastic: Curve | null;
  readonly deterministic: Curve | null;
  readonly colourBy: ColourBy;
  readonly width: number;
  readonly ink: Ink;
  readonly theme: Theme;
  readonly pointed: string | null;
  readonly onPoint: (runId: string | null) => void;
  readonly onOpen: (runId: string) => void;
}

const log: Scale = { kind: "log" };
const radius = 6;

/** The diagram: batch size to the right, learning rate upward, both logarithmic. */
export function PhaseDiagram(props: PhaseDiagramProps) {
  const { marks, stochastic, deterministic, width, ink, theme, colourBy, pointed, onPoint, onOpen } = props;
  const narrow = width < 560;
  const key = keyEntries(marks, colourBy, theme);
  const keyRows = Math.ceil(key.length / (narrow ? 1 : 3));
  const height = Math.min(560, Math.max(360, width * 0.52)) + keyRows * 20;
  const frame: Frame = { left: 60, top: 28, width: width - 60 - 20, height: height - 28 - 56 - keyRows * 20 };
  const sizes = marks.map(({ batchSize }) => batchSize);
  const rates = marks.map(({ learningRate }) => learningRate);
  const yRange = padded(log, [Math.min(...rates), Math.max(...rates)], 0.12);
  // A curve near the runs is brought into view; one decades away would squeeze them.
  const near = [stochastic, deterministic]
    .flatMap((curve) => curve?.median ?? [])
    .filter((rate) => rate > yRange[0] / 4 && rate < yRange[1] * 4);
  const x: AxisSpec = {
    scale: log,
    domain: padded(log, [Math.min(...sizes), Math.max(...sizes)], 0.08),
    label: "batch size B (examples)",
    ...ownTicks(sizes),
  };
  const y: AxisSpec = {
    scale: log,
    domain: [Math.min(yRange[0], ...near), Math.max(yRange[1], ...near)].map((rate, i) =>
      i === 0 ? rate / 1.15 : rate * 1.15,
    ) as unknown as Domain,
    label: "learning rate η (1/λ)",
    ...ownTicks(rates),
  };
  const at = pixels(frame, x, y);
  const current = marks.find(({ run }) => run.id === pointed) ?? null;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && current !== null) onOpen(current.run.id);
    else if (event.key === "Escape") onPoint(null);
    else if (event.key.startsWith("Arrow")) {
      onPoint((current === null ? marks[0]! : neighbourMark(marks, current, event.key)).run.id);
    } else return;
    event.preventDefault();
  };
  const loss = lossRange(marks);
  return (
    <div
      class="phase-diagram"
      role="slider"
      tabIndex={0}
      aria-label="Runs by learning rate and batch size"
      aria-valuemin={1}
      aria-valuemax={marks.length}
      aria-valuenow={current === null ? 1 : marks.indexOf(current) + 1}
      aria-valuetext={current === null ? `${marks.length} runs` : spoken(current)}
      onKeyDown={onKeyDown}
      onBlur={() => onPoint(null)}
    >
      <svg width={width} height={height} aria-hidden="true" onMouseLeave={() => onPoint(null)}>
        <defs>
          <clipPath id="phase-frame">
            <rect x={frame.left} y={frame.top} width={frame.width} height={frame.height} />
          </clipPath>
        </defs>
        <g clip-path="url(#phase-frame)">
          <Beyond curves={[stochastic, deterministic]} at={at} frame={frame} ink={ink} />
        </g>
        <Axes frame={frame} x={x} y={y} ink={ink} />
        <g clip-path="url(#phase-frame)">
          <CurveLine curve={stochastic} at={at} ink={ink} dash="" />
          <CurveLine curve={deterministic} at={at} ink={ink} dash="7 5" />
        </g>
        <CurveLabel curve={stochastic} text="K = 1" at={at} frame={frame} y={y} ink={ink} end />
        <CurveLabel curve={deterministic} text="η = 2/λ" index="max" at={at} frame={frame} y={y} ink={ink} />
        {marks.map((mark) => {
          const [dx, dy] = offsetOf(mark);
          return (
            <Glyph
              key={mark.run.id}
              x={at.x(mark.batchSize) + dx * radius}
              y={at.y(mark.learningRate) + dy * radius}
              outcome={mark.outcome}
              colour={colourOf(mark, colourBy, theme, loss)}
              ink={ink}
              pointed={mark === current}
              onEnter={() => onPoint(mark.run.id)}
              onClick={() => onOpen(mark.run.id)}
            />
          );
        })}
        {key.map(({ label, outcome, colour }, i) => {
          const columns = narrow ? 1 : 3;
          const left = frame.left + (i % columns) * (frame.width / columns);
          const top = height - keyRows * 20 + Math.floor(i / columns) * 20 + 8;
          return (
            <g key={label}>
              <Glyph x={left + 6} y={top} outcome={outcome} colour={colour} ink={ink} pointed={false} />
              <text x={left + 20} y={top + 4} fill={ink.text}>
                {label}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** The settings themselves, where they are few: they say more than round numbers. */
function ownTicks(values: readonly number[]): { readonly ticks?: readonly number[] } {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const isCrowded = distinct.some((value, i) => i > 0 && value / distinct[i - 1]! < 1.4);
  return distinct.length >= 3 && distinct.length <= 10 && !isCrowded ? { ticks: distinct } : {};
}

type At = ReturnType<typeof pixels>;

/** Above the lower of the curves. */
function Beyond({ curves, at, frame, ink }: { curves: (Curve | null)[]; at: At; frame: Frame; ink: Ink }) {
  const known = curves.filter((curve) => curve !== null);
  if (known.length === 0) return null;
  const lowest = new Map<number, number>();
  for (const { batchSizes, median } of known) {
    batchSizes.forEach((size, i) => lowest.set(size, Math.min(lowest.get(size) ?? Infinity, median[i]!)));
  }
  const points = [...lowest].sort(([a], [b]) => a - b);
  const line = points.map(([size, rate]) => `${at.x(size)} ${at.y(rate)}`).join("L");
  const right = frame.left + frame.width;
  const [first, last] = [points[0]![1], points.at(-1)![1]];
  // No batch is smaller than one, but the axis goes on: so does the shade.
  return (
    <path
      d={`M${frame.left} ${at.y(first)}L${line}L${right} ${at.y(last)}V${frame.top}H${frame.left}Z`}
      fill={ink.beyond}
    />
  );
}

function CurveLine({ curve, at, ink, dash }: { curve: Curve | null; at: At; ink: Ink; dash: string }) {
  if (curve === null) return null;
  const { batchSizes, median, lowest, highest, probes } = curve;
  const place = (rates: readonly number[]) => batchSizes.map((size, i) => `${at.x(size)} ${at.y(rates[i]!)}`);
  return (
    <>
      {probes > 1 && (
        <path
          d={`M${place(highest).join("L")}L${place(lowest).reverse().join("L")}Z`}
          fill={ink.edge}
          fill-opacity="0.1"
        />
      )}
      <path
        d={`M${place(median).join("L")}`}
        fill="none"
        stroke={ink.edge}
        stroke-width="1.75"
        stroke-dasharray={dash}
      />
    </>
  );
}

interface CurveLabelProps {
  readonly curve: Curve | null;
  readonly text: string;
  readonly index?: string;
  readonly at: At;
  readonly frame: Frame;
  readonly y: AxisSpec;
  readonly ink: Ink;
  /** At the curve's right end rather than its left. */
  readonly end?: boolean;
}

/** Beside the last (or first) place where a curve is in view; none where it is not. */
function CurveLabel({ curve, text, index, at, frame, y, ink, end = false }: CurveLabelProps) {
  if (curve === null) return null;
  const inView = curve.batchSizes
    .map((size, i) => ({ x: at.x(size), y: at.y(curve.median[i]!), rate: curve.median[i]! }))
    .filter(
      ({ x, rate }) => x >= frame.left && x <= frame.left + frame.width && rate > y.domain[0] && rate < y.domain[1],
    );
  const place = end ? inView.at(-1) : inView[0];
  if (place === undefined) return null;
  return (
    <text
      x={place.x + (end ? -4 : 6)}
      y={Math.max(place.y - 7, frame.top + 12)}
      fill={ink.edge}
      text-anchor={end ? "end" : "start"}
      stroke={ink.surface}
      stroke-width="3"
      paint-order="stroke"
      font-weight="600"
    >
      {text}
      {index !== undefined && (
        <tspan dy="3" font-size="0.8em">
          {index}
        </tspan>
      )}
    </text>
  );
}

interface GlyphProps {
  readonly x: number;
  readonly y: number;
  readonly outcome: Outcome;
  readonly colour: string;
  readonly ink: Ink;
  readonly pointed: boolean;
  readonly onEnter?: () => void;
  readonly onClick?: () => void;
}

/** Shapes say the outcome whatever colours say: dot, diamond, cross, ring, square. */
function Glyph({ x, y, outcome, colour, ink, pointed, onEnter, onClick }: GlyphProps) {
  const r = radius;
  const cross = r * 0.8;
  return (
    <g
      transform={`translate(${x} ${y})`}
      data-outcome={outcome}
      style={onClick && { cursor: "pointer" }}
      onMouseEnter={onEnter}
      onClick={onClick}
    >
      {pointed && <circle r={r + 4} fill="none" stroke={ink.text} stroke-width="2" />}
      {onClick && <circle r={r + 3} fill="transparent" />}
      {outcome === "diverged" && (
        <path
          d={`M${-cross} ${-cross}L${cross} ${cross}M${-cross} ${cross}L${cross} ${-cross}`}
          stroke={colour}
          stroke-width="3"
          stroke-linecap="round"
        />
      )}
      {outcome === "converged" && <circle r={r} fill={colour} stroke={ink.surface} />}
      {outcome === "at-edge" && (
        <path d={`M0 ${-r * 1.2}L${r * 1.2} 0L0 ${r * 1.2}L${-r * 1.2} 0Z`} fill={colour} stroke={ink.surface} />
      )}
      {outcome === "running" && <circle r={r - 1.5} fill="none" stroke={colour} stroke-width="3" />}
      {outcome === "broken" && <rect x={-r + 1} y={-r + 1} width={2 * r - 2} height={2 * r - 2} fill={colour} />}
    </g>
  );
}

function lossRange(marks: readonly Mark[]): readonly [number, number] {
  const losses = marks.map(({ run }) => run.latest["loss/train"] ?? NaN).filter((loss) => loss > 0 && loss < Infinity);
  return [Math.min(...losses), Math.max(...losses)];
}

function colourOf(mark: Mark, by: ColourBy, theme: Theme, [low, high]: readonly [number, number]): string {
  if (by === "outcome") return outcomeColour(mark.outcome, theme);
  const value = mark.run.latest[by === "kernel" ? "noiseKernel/exact" : "loss/train"] ?? NaN;
  if (Number.isNaN(value)) return outcomeColour("broken", theme);
  if (by === "kernel") return distanceColour(value, theme);
  return markColour(high > low ? Math.log(value / low) / Math.log(high / low) : 0.5, theme);
}

/** What the colours and shapes mean. */
function keyEntries(marks: readonly Mark[], by: ColourBy, theme: Theme) {
  const seen = (Object.keys(outcomes) as Outcome[]).filter((outcome) => marks.some((mark) => mark.outcome === outcome));
  if (by === "outcome") {
    return seen.map((outcome) => ({ label: outcomes[outcome], outcome, colour: outcomeColour(outcome, theme) }));
  }
  const shapes = seen.map((outcome) => ({ label: outcomes[outcome], outcome, colour: outcomeColour("broken", theme) }));
  if (by === "kernel") {
    const values = [0.25, 1, 4].map((value) => ({
      label: `K ${value < 1 ? "≤" : value > 1 ? "≥" : "="} ${formatSetting(value)}`,
      outcome: "converged" as const,
      colour: distanceColour(value, theme),
    }));
    return [...values, ...shapes];
  }
  const [low, high] = lossRange(marks);
  if (!(low <= high)) return shapes;
  const losses = [...new Set([low, Math.sqrt(low * high), high])].map((value) => ({
    label: `loss ${formatValue(value, 2)}`,
    outcome: "converged" as const,
    colour: markColour(high > low ? Math.log(value / low) / Math.log(high / low) : 0.5, theme),
  }));
  return [...losses, ...shapes];
}

const spoken = ({ run, learningRate, batchSize, outcome }: Mark) =>
  `${run.name}: learning rate ${formatSetting(learningRate)}, batch size ${formatCount(batchSize)}, ${outcomes[outcome]}, ` +
  `K ${formatValue(run.latest["noiseKernel/exact"] ?? NaN)}`;
