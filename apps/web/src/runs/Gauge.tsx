import type { RunSummary } from "../api/types.js";

/** The scale ends here; 1 is the edge. What lies further is shown at the end. */
const end = 1.5;
const percent = (value: number) => `${(Math.min(Math.max(value, 0), end) / end) * 100}%`;

/** Both distances of a run on one line: K with its standard error, and λ_max·η/2, against the edge at 1. */
export function Gauge({ run, colour }: { readonly run: RunSummary; readonly colour: string }) {
  const noiseKernel = run.latest["noiseKernel/exact"] ?? NaN;
  const error = run.latest["noiseKernel/exact/standardError"] ?? NaN;
  const ratio = run.latest["edge/deterministic"] ?? NaN;
  const whisker = Number.isFinite(noiseKernel) && error > 0 && Number.isFinite(error);
  return (
    <div class="gauge" aria-hidden="true" style={{ color: colour }}>
      <span class="gauge-beyond" style={{ left: percent(1) }} />
      <span class="gauge-edge" style={{ left: percent(1) }} />
      {whisker && (
        <span
          class="gauge-whisker"
          style={{
            left: percent(noiseKernel - error),
            right: `calc(100% - ${percent(noiseKernel + error)})`,
          }}
        />
      )}
      {!Number.isNaN(ratio) && <span class="gauge-ratio" style={{ left: percent(ratio) }} />}
      {!Number.isNaN(noiseKernel) && <span class="gauge-kernel" style={{ left: percent(noiseKernel) }} />}
    </div>
  );
}
