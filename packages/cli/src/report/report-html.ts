import {
  darkTheme,
  drawSheet,
  escapeHtml,
  htmlSection,
  htmlTable,
  lightTheme,
  type Sheet,
  type Theme,
} from "@sedge/lab/figures";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatRatio,
  formatTime,
  formatWithError,
} from "../output/format.js";
import { toJson } from "../output/json.js";
import type { ReportData, ReportedRun } from "./report-data.js";
import { reproduceCommands } from "./reproduce.js";
import { responsibleSections } from "./responsible.js";
import { runPanels } from "./run-panels.js";
import { style } from "./style.js";
import { sweepPanels } from "./sweep-panels.js";

/**
 * A report as one HTML page that needs nothing else, printable as it is. The numbers behind it are in the page as JSON, in the
 * element `#report-data`.
 */
export function reportHtml(report: ReportData): string {
  const { title, runs, sweep, environment, madeAt } = report;
  const [first] = runs;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}: Sedge report</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(title)}</h1>
${sweep === null ? `<p class="verdict">${escapeHtml(first!.verdict)}</p>` : `<p class="verdict">${runs.length} runs</p>`}
</header>
${htmlSection("Figures", figures(report))}
${htmlSection(sweep === null ? "Where it ended" : "Where the runs ended", endings(runs))}
${advice(runs)}
${sweep === null ? responsibleSections(first!) : ""}
${sweep === null ? htmlSection("What it measured last", measurements(first!)) : ""}
${htmlSection("Settings", settings(runs))}
${htmlSection(
  "Environment",
  htmlTable(
    ["", ""],
    [...Object.entries(environment), ["written", formatTime(madeAt)]].map((row) => row.map(escapeHtml)),
  ),
)}
${htmlSection("How to reproduce it", reproduce(runs))}
</main>
<script type="application/json" id="report-data">${toJson(report).replaceAll("<", "\\u003c")}</script>
</body>
</html>
`;
}

function figures(report: ReportData): string {
  const sheet = (theme: Theme): Sheet => {
    const panels = [
      ...runPanels(report.runs, theme),
      ...(report.sweep === null ? [] : sweepPanels(report.runs, theme)),
    ];
    const subtitle =
      report.runs.length > 1
        ? ["Colours go from the first run to the last along one ramp."]
        : [report.runs[0]!.run.model.description];
    return { title: report.title, subtitle, panels, columns: Math.min(2, panels.length) };
  };
  if (sheet(lightTheme).panels.length === 0) return "<p>Nothing has been measured yet.</p>";
  const draw = (theme: Theme) => drawSheet(sheet(theme), theme);
  return `<div class="figure light">${draw(lightTheme)}</div><div class="figure dark">${draw(darkTheme)}</div>`;
}

function endings(runs: readonly ReportedRun[]): string {
  const head = ["run", "status", "steps", "took", "training loss", "K exact", "λ_max·η/2", "verdict"];
  const rows = runs.map(({ run, verdict }) => {
    const { latest } = run;
    return [
      run.name,
      run.status,
      `${formatCount(run.step)} of ${formatCount(run.steps)}`,
      run.finishedAt === null ? "—" : formatDuration((run.finishedAt - run.startedAt) / 1000),
      formatNumber(latest["loss/train"]),
      formatWithError(latest["noiseKernel/exact"], latest["noiseKernel/exact/standardError"]),
      formatRatio(latest["edge/deterministic"]),
      verdict,
    ].map(escapeHtml);
  });
  return htmlTable(head, rows);
}

function advice(runs: readonly ReportedRun[]): string {
  const given = runs.filter((one) => one.advice !== null);
  if (given.length === 0) return "";
  const lines = given.map(({ run, advice: last }) => {
    const who = runs.length > 1 ? `<b>${escapeHtml(run.name)}</b>, step ` : "Step ";
    return `<li>${who}${formatCount(last!.step)}: ${escapeHtml(last!.text)}</li>`;
  });
  return htmlSection("Advice", `<ul>${lines.join("")}</ul>`);
}

function measurements({ run }: ReportedRun): string {
  const rows = Object.entries(run.latest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [escapeHtml(key), escapeHtml(formatNumber(value, 5))]);
  return htmlTable(["metric", "last value"], rows);
}

/** Those that all runs share, then those that differ. */
function settings(runs: readonly ReportedRun[]): string {
  const all = runs.map(({ run }) => flatten(run.config));
  const keys = [...new Set(all.flatMap((config) => Object.keys(config)))];
  const differs = (key: string) => all.some((config) => config[key] !== all[0]![key]);
  const shared = keys.filter((key) => !differs(key));
  const apart = keys.filter(differs);
  const rows = shared.map((key) => [escapeHtml(key), escapeHtml(all[0]![key] ?? "—")]);
  if (apart.length === 0) return htmlTable(["setting", "value"], rows);
  const own = runs.map(({ run }, i) => [run.name, ...apart.map((key) => all[i]![key] ?? "—")].map(escapeHtml));
  return `${htmlTable(["setting, the same in all", "value"], rows)}${htmlTable(["run", ...apart], own)}`;
}

function reproduce(runs: readonly ReportedRun[]): string {
  const commands = reproduceCommands(runs.map(({ run }) => run));
  if (commands.length === 0)
    return "<p>These runs were not trained by Sedge, so only their own program can repeat them.</p>";
  return `<pre><code>${escapeHtml(commands.join("\n"))}</code></pre><p class="small">The same version, platform and settings give the same numbers, to the last bit.</p>`;
}

/** Nested keys with dots, values as text. */
function flatten(config: Readonly<Record<string, unknown>>, prefix = ""): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const path = `${prefix}${key}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        return Object.entries(flatten(value as Record<string, unknown>, `${path}.`));
      }
      return [[path, typeof value === "string" ? value : JSON.stringify(value)] as [string, string]];
    }),
  );
}
