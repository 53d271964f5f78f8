import { memo } from "preact/compat";
import type { RunSummary } from "../api/types.js";
import type { Series } from "../data/series.js";
import { formatAge } from "../format/age.js";
import { formatCount, formatEstimate, formatSetting, formatShare, formatValue } from "../format/number.js";
import { Tags } from "../runs/Tags.js";
import { Link } from "../ui/Link.js";
import { StatusIcon } from "../ui/icons.js";
import { columnOf } from "./columns.js";
import { sparkline } from "./sparkline.js";

interface TableRowProps {
  readonly run: RunSummary;
  readonly colour: string;
  readonly selected: boolean;
  /** K over the run, and when it last changed: a row is drawn again when it has. */
  readonly series: Series | undefined;
  readonly version: number;
  /** Which tags are wanted is drawn in the row. */
  readonly filter: string;
  readonly onToggle: (id: string) => void;
}

const [width, height] = [88, 22];
const keyOf = (column: string, run: RunSummary) => columnOf(column).key(run) as number;

export const TableRow = memo(function TableRow({ run, colour, selected, series, onToggle }: TableRowProps) {
  const { id, name, status, step, steps, latest, tags } = run;
  const kernel = formatEstimate(keyOf("kernel", run), latest["noiseKernel/exact/standardError"] ?? NaN);
  const ratio = keyOf("ratio", run);
  return (
    <tr data-run={id} data-selected={selected}>
      <td class="tick">
        <input
          type="checkbox"
          checked={selected}
          style={{ color: colour }}
          aria-label={`Show ${name} on the charts`}
          onChange={() => onToggle(id)}
        />
      </td>
      <th scope="row">
        <Link to={{ view: "run", run: id }} class="run-link">
          {name}
        </Link>
        {tags.length > 0 && (
          <span class="row-tags">
            <Tags tags={tags} />
          </span>
        )}
      </th>
      <td>
        <span class="status" data-status={status}>
          <StatusIcon status={status} />
          <span class="status-word">{status}</span>
        </span>
      </td>
      <td class="number" data-beyond={keyOf("kernel", run) > 1}>
        {kernel.value}
        {kernel.error !== null && <span class="error"> ± {kernel.error}</span>}
      </td>
      <td class="spark">
        <Spark series={series} colour={colour} />
      </td>
      <td class="number" data-beyond={ratio > 1}>
        {formatValue(ratio, 2)}
      </td>
      <td class="number">{formatValue(keyOf("loss", run))}</td>
      <td class="number">{formatShare(keyOf("accuracy", run))}</td>
      <td class="number">{formatSetting(keyOf("rate", run))}</td>
      <td class="number">{formatCount(keyOf("batch", run))}</td>
      <td class="number">
        {formatCount(step)}
        {status !== "finished" && <span class="error"> / {formatCount(steps)}</span>}
      </td>
      <td class="number" title={new Date(run.startedAt).toLocaleString()}>
        {formatAge(run.startedAt, Date.now())}
      </td>
    </tr>
  );
});

function Spark({ series, colour }: { readonly series: Series | undefined; readonly colour: string }) {
  const { path, edge } = sparkline(series?.values ?? [], width, height);
  if (path === "") return null;
  return (
    <svg class="sparkline" viewBox={`0 -1 ${width} ${height + 2}`} width={width} height={height + 2} aria-hidden="true">
      <line class="sparkline-edge" x1="0" x2={width} y1={edge} y2={edge} />
      <path d={path} fill="none" stroke={colour} stroke-width="1.5" stroke-linejoin="round" />
    </svg>
  );
}
