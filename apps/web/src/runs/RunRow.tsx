import { memo } from "preact/compat";
import type { RunSummary } from "../api/types.js";
import { formatCount, formatEstimate, formatSetting, formatValue } from "../format/number.js";
import { MathText } from "../ui/MathText.js";
import { Link } from "../ui/Link.js";
import { StatusIcon } from "../ui/icons.js";
import { Gauge } from "./Gauge.js";

interface RunRowProps {
  readonly run: RunSummary;
  readonly colour: string;
  readonly selected: boolean;
  readonly onToggle: (id: string) => void;
  readonly onSolo: (id: string) => void;
  readonly onHighlight: (id: string | null) => void;
}

/** One run in the list. Drawn again only when its summary changes, so a hundred rows cost nothing while one trains. */
export const RunRow = memo(function RunRow({ run, colour, selected, onToggle, onSolo, onHighlight }: RunRowProps) {
  const { id, name, status, step, steps, config, latest } = run;
  const kernel = formatEstimate(latest["noiseKernel/exact"] ?? NaN, latest["noiseKernel/exact/standardError"] ?? NaN);
  const progress = steps > 0 ? Math.min(1, step / steps) : 0;
  return (
    <li
      class="run"
      data-run={id}
      data-status={status}
      data-selected={selected}
      onMouseEnter={() => onHighlight(id)}
      onMouseLeave={() => onHighlight(null)}
    >
      <div class="run-title">
        <label>
          <input type="checkbox" checked={selected} style={{ color: colour }} onChange={() => onToggle(id)} />
          <span class="run-name" title={name}>
            {name}
          </span>
        </label>
        <button type="button" class="quiet solo" aria-label={`Show only ${name}`} onClick={() => onSolo(id)}>
          only
        </button>
        <Link to={{ view: "run", run: id }} class="quiet-link" title={`Everything about ${name}`}>
          details
        </Link>
        <span class="status" data-status={status}>
          <StatusIcon status={status} />
          {status}
        </span>
      </div>
      <dl class="settings">
        <Fact term="η" title="learning rate" value={formatSetting(config.learningRate ?? NaN)} />
        <Fact term="B" title="batch size" value={formatCount(config.batchSize ?? NaN)} />
        <Fact
          term="step"
          title="updates made, of those planned"
          value={status === "finished" ? formatCount(step) : `${formatCount(step)} / ${formatCount(steps)}`}
        />
      </dl>
      <Gauge run={run} colour={colour} />
      <dl class="distances">
        <Fact
          term="K"
          title="noise kernel norm, exact; 1 on the stochastic edge"
          value={kernel.value}
          error={kernel.error}
        />
        <Fact
          term="λ_max·η/2"
          title="sharpness relative to the deterministic edge; 1 on the edge"
          value={formatValue(latest["edge/deterministic"] ?? NaN, 2)}
        />
      </dl>
      {status === "running" && (
        <div class="progress" aria-hidden="true">
          <span style={{ width: `${progress * 100}%`, background: colour }} />
        </div>
      )}
    </li>
  );
});

interface FactProps {
  readonly term: string;
  readonly title: string;
  readonly value: string;
  readonly error?: string | null;
}

function Fact({ term, title, value, error }: FactProps) {
  return (
    <div title={title}>
      <dt>
        <span aria-hidden="true">
          <MathText text={term} />
        </span>
        <span class="visually-hidden">{title}</span>
      </dt>
      <dd>
        {value}
        {error != null && <span class="error"> ± {error}</span>}
      </dd>
    </div>
  );
}
