import { useSignal } from "@preact/signals";
import type { RunSummary } from "../api/types.js";
import { formatEstimate, formatSetting, formatValue } from "../format/number.js";
import { saveFile } from "../export/save.js";
import { Link } from "../ui/Link.js";
import { Notice } from "../ui/Notice.js";
import { StatusIcon } from "../ui/icons.js";
import { usePage } from "../view/page.js";
import { metricRows, settingRows, smallest, type Row } from "./differences.js";

/** More columns cannot be read beside each other. */
const mostRuns = 12;

/** What tells the shown runs apart: settings that differ, and where each metric ended. */
export function ComparePage() {
  const page = usePage();
  const everything = useSignal(false);
  const all = [...page.shown.value].reverse();
  const runs = all.slice(0, mostRuns);
  if (runs.length < 2) {
    return (
      <main id="charts" class="compare-view" tabIndex={-1}>
        <Notice title="Pick two runs or more to compare.">
          <p>
            Tick them in the <Link to={{ view: "table", run: "" }}>table</Link>.
          </p>
        </Notice>
      </main>
    );
  }
  const settings = settingRows(runs);
  const metrics = metricRows(runs);
  const differing = settings.filter(({ differs }) => differs);
  return (
    <main id="charts" class="compare-view" tabIndex={-1}>
      <header class="view-head">
        <h2>Compare</h2>
        <p class="subtitle" role="status">
          {runs.length} runs{all.length > runs.length && `, the newest of ${all.length} shown`}; {differing.length} of{" "}
          {settings.length} settings differ
        </p>
        <div class="view-tools">
          <button type="button" aria-pressed={everything.value} onClick={() => (everything.value = !everything.value)}>
            All settings
          </button>
          <button type="button" onClick={() => saveFile("sedge-comparison.csv", csvOf(runs, settings, metrics))}>
            Save CSV
          </button>
          <Link to={{ view: "charts", run: "" }} class="button">
            Charts
          </Link>
        </div>
      </header>
      <div class="table-scroll" role="region" aria-label="Comparison" tabIndex={0}>
        <table class="compare-table">
          <caption class="visually-hidden">Settings and last values of the runs, a column each</caption>
          <thead>
            <tr>
              <td />
              {runs.map((run) => (
                <th scope="col" key={run.id}>
                  <span class="swatch" style={{ background: page.colourOf(run.id) }} />
                  <Link to={{ view: "run", run: run.id }}>{run.name}</Link>
                  <span class="status" data-status={run.status}>
                    <StatusIcon status={run.status} />
                    {run.status}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <Group title="Settings" rows={everything.value ? settings : differing} runs={runs} show={setting} />
          {!everything.value && differing.length === 0 && (
            <tbody>
              <tr>
                <td colSpan={runs.length + 1}>These runs have the same settings.</td>
              </tr>
            </tbody>
          )}
          <Group title="Metrics, last value" rows={metrics} runs={runs} show={metric} />
        </table>
      </div>
    </main>
  );
}

interface GroupProps {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly runs: readonly RunSummary[];
  readonly show: (value: unknown, row: Row, run: RunSummary) => string;
}

function Group({ title, rows, runs, show }: GroupProps) {
  if (rows.length === 0) return null;
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={runs.length + 1}>
          {title}
        </th>
      </tr>
      {rows.map((row) => {
        // Of a loss or a distance to an edge the smallest is marked; of what else is measured none is better.
        const best = /^(loss|noiseKernel|edge)\b/.test(row.name) ? smallest(row.values) : -1;
        return (
          <tr key={row.name} data-differs={row.differs}>
            <th scope="row">{row.name}</th>
            {row.values.map((value, i) => (
              <td key={runs[i]!.id} data-best={i === best}>
                {show(value, row, runs[i]!)}
              </td>
            ))}
          </tr>
        );
      })}
    </tbody>
  );
}

function setting(value: unknown): string {
  if (value === undefined) return "–";
  if (typeof value === "number") return formatSetting(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function metric(value: unknown, { name }: Row, { latest }: RunSummary): string {
  if (typeof value !== "number") return "–";
  const { value: shown, error } = formatEstimate(value, latest[`${name}/standardError`] ?? NaN);
  return error === null ? formatValue(value) : `${shown} ± ${error}`;
}

function csvOf(runs: readonly RunSummary[], settings: readonly Row[], metrics: readonly Row[]): Blob {
  const field = (value: unknown) => {
    const text = value === undefined ? "" : typeof value === "string" ? value : writtenNumber(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: readonly unknown[]) => `${cells.map(field).join(",")}\r\n`;
  const rows = [...settings, ...metrics].map(({ name, values }) => line([name, ...values]));
  const head = line(["", ...runs.map(({ name }) => name)]) + line(["run_id", ...runs.map(({ id }) => id)]);
  return new Blob([head, ...rows], { type: "text/csv" });
}

const writtenNumber = (value: unknown) => (typeof value === "number" ? String(value) : JSON.stringify(value));
