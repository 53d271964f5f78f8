import { useEffect, useRef, useState } from "preact/hooks";
import { formatSetting, formatTick, formatValue } from "../format/number.js";
import { decades, pathOf, settingsAt, xOf, yOf, type PhaseAxes } from "./phase-geometry.js";
import { largestBatch, ranges } from "./settings.js";
import type { ExperimentSettings, PhaseReading } from "./training/messages.js";

interface PhaseDiagramProps {
  readonly settings: ExperimentSettings;
  readonly reading: PhaseReading | null;
  readonly onChoose: (change: { readonly learningRate: number; readonly batchSize: number }) => void;
}

const height = 320;
const margin = { left: 50, top: 14, right: 16, bottom: 42 };

/** Where SGD converges, in the plane of batch size and learning rate, for the weights as they are. */
export function PhaseDiagram({ settings, reading, onChoose }: PhaseDiagramProps) {
  const host = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(560);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(260, Math.round(entry!.contentRect.width))));
    observer.observe(host.current!.parentElement!);
    return () => observer.disconnect();
  }, []);

  const frame = {
    left: margin.left,
    top: margin.top,
    width: width - margin.left - margin.right,
    height: height - margin.top - margin.bottom,
  };
  const axes: PhaseAxes = { frame, largestBatch, ...ranges[settings.model] };
  const right = frame.left + frame.width;
  const bottom = frame.top + frame.height;
  const choose = (event: PointerEvent) => {
    const box = host.current!.getBoundingClientRect();
    onChoose(settingsAt(axes, event.clientX - box.left, event.clientY - box.top));
  };
  const at = reading?.batchSizes.indexOf(settings.batchSize) ?? -1;
  const threshold = at < 0 ? undefined : reading!.exact[at];
  const place = { x: xOf(axes, settings.batchSize), y: yOf(axes, settings.learningRate) };

  return (
    <section class="panel chart phases" data-chart="phases">
      <header class="panel-head">
        <div>
          <h2>Phase diagram</h2>
          <p class="subtitle">
            where SGD converges, for the weights at step {reading?.step ?? 0}: exact, from the eigenvectors of the
            tangent kernel
          </p>
        </div>
      </header>
      <p class="phase-answer" data-critical={threshold}>
        {threshold === undefined
          ? "Thresholds follow with the first measurement."
          : `At B = ${settings.batchSize} the largest stable learning rate is η = ${formatValue(threshold)}.`}
      </p>
      <p class="axis-label">learning rate η (1/curvature)</p>
      <div class="phase-host">
        <svg
          ref={host}
          width={width}
          height={height}
          role="img"
          aria-label={
            threshold === undefined
              ? "Phase diagram, not measured yet"
              : `Phase diagram: at batch size ${settings.batchSize} the stochastic edge lies at a learning rate of ${formatValue(threshold)}, the deterministic edge at ${formatValue(reading!.deterministic)}; chosen is ${formatSetting(settings.learningRate)}`
          }
          onPointerDown={(event) => {
            host.current!.setPointerCapture(event.pointerId);
            choose(event);
          }}
          onPointerMove={(event) => event.buttons === 1 && choose(event)}
        >
          {reading && (
            <>
              <path
                class="phase-stable"
                d={`${pathOf(axes, reading, reading.exact)} L${right} ${bottom} L${frame.left} ${bottom} Z`}
              />
              <path
                class="phase-beyond"
                d={`${pathOf(axes, reading, reading.exact)} L${right} ${frame.top} L${frame.left} ${frame.top} Z`}
              />
              <rect
                class="phase-past"
                x={frame.left}
                y={frame.top}
                width={frame.width}
                height={Math.max(0, yOf(axes, reading.deterministic) - frame.top)}
              />
            </>
          )}
          <g class="phase-axes">
            {decades(axes).map((rate) => (
              <g key={rate}>
                <line x1={frame.left} x2={right} y1={yOf(axes, rate)} y2={yOf(axes, rate)} />
                <text x={frame.left - 7} y={yOf(axes, rate)} text-anchor="end" dominant-baseline="middle">
                  {formatTick(rate)}
                </text>
              </g>
            ))}
            {[1, 4, 16, 64, 256].map((size) => (
              <g key={size}>
                <line x1={xOf(axes, size)} x2={xOf(axes, size)} y1={frame.top} y2={bottom} />
                <text x={xOf(axes, size)} y={bottom + 15} text-anchor="middle">
                  {size}
                </text>
              </g>
            ))}
            <text x={frame.left + frame.width / 2} y={height - 6} text-anchor="middle">
              batch size B (examples)
            </text>
          </g>
          {reading && (
            <>
              <path class="phase-deterministic" d={`M${frame.left} ${yOf(axes, reading.deterministic)} H${right}`} />
              <path class="phase-high-dim" d={pathOf(axes, reading, reading.highDim)} />
              <path class="phase-exact" d={pathOf(axes, reading, reading.exact)} />
              <text
                class="phase-label"
                x={frame.left + 8}
                y={Math.max(frame.top + 12, yOf(axes, reading.deterministic) - 6)}
              >
                deterministic edge
              </text>
            </>
          )}
          <circle class="phase-place" cx={place.x} cy={place.y} r="6" />
        </svg>
      </div>
      <ul class="key">
        <li>
          <svg width="26" height="8" aria-hidden="true">
            <path class="phase-exact" d="M1 4 H25" />
          </svg>
          stochastic edge, K = 1
        </li>
        <li>
          <svg width="26" height="8" aria-hidden="true">
            <path class="phase-high-dim" d="M1 4 H25" />
          </svg>
          the same in the paper’s high-dimensional form
        </li>
        <li>
          <svg width="14" height="14" aria-hidden="true">
            <circle class="phase-place" cx="7" cy="7" r="5" />
          </svg>
          your η and B: click or drag to move it
        </li>
      </ul>
    </section>
  );
}
