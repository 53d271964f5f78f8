import { darkTheme, drawSheet, lightTheme, type Sheet, type Theme } from "@sedge/lab/figures";
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
<title>${escape(title)}: Sedge report</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escape(title)}</h1>
${sweep === null ? `<p class="verdict">${escape(first!.verdict)}</p>` : `<p class="verdict">${runs.length} runs</p>`}
</header>
${section("Figures", figures(report))}
${section(sweep === null ? "Where it ended" : "Where the runs ended", endings(runs))}
${advice(runs)}
${sweep === null ? section("What it measured last", measurements(first!)) : ""}
${section("Settings", settings(runs))}
${section(
  "Environment",
  table(
    ["", ""],
    [...Object.entries(environment), ["written", formatTime(madeAt)]].map((row) => row.map(escape)),
  ),
)}
${section("How to reproduce it", reproduce(runs))}
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
    ].map(escape);
  });
  return table(head, rows);
}

function advice(runs: readonly ReportedRun[]): string {
  const given = runs.filter((one) => one.advice !== null);
  if (given.length === 0) return "";
  const lines = given.map(({ run, advice: last }) => {
    const who = runs.length > 1 ? `<b>${escape(run.name)}</b>, step ` : "Step ";
    return `<li>${who}${formatCount(last!.step)}: ${escape(last!.text)}</li>`;
  });
  return section("Advice", `<ul>${lines.join("")}</ul>`);
}

function measurements({ run }: ReportedRun): string {
  const rows = Object.entries(run.latest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [escape(key), escape(formatNumber(value, 5))]);
  return table(["metric", "last value"], rows);
}

/** Those that all runs share, then those that differ. */
function settings(runs: readonly ReportedRun[]): string {
  const all = runs.map(({ run }) => flatten(run.config));
  const keys = [...new Set(all.flatMap((config) => Object.keys(config)))];
  const differs = (key: string) => all.some((config) => config[key] !== all[0]![key]);
  const shared = keys.filter((key) => !differs(key));
  const apart = keys.filter(differs);
  const rows = shared.map((key) => [escape(key), escape(all[0]![key] ?? "—")]);
  if (apart.length === 0) return table(["setting", "value"], rows);
  const own = runs.map(({ run }, i) => [run.name, ...apart.map((key) => all[i]![key] ?? "—")].map(escape));
  return `${table(["setting, the same in all", "value"], rows)}${table(["run", ...apart], own)}`;
}

function reproduce(runs: readonly ReportedRun[]): string {
  const commands = reproduceCommands(runs.map(({ run }) => run));
  if (commands.length === 0)
    return "<p>These runs were not trained by Sedge, so only their own program can repeat them.</p>";
  return `<pre><code>${escape(commands.join("\n"))}</code></pre><p class="small">The same version, platform and settings give the same numbers, to the last bit.</p>`;
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

const section = (title: string, body: string): string => `<section><h2>${title}</h2>${body}</section>`;

/** @param rows  Cells as HTML. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const titles = head.some((title) => title !== "") ? `<thead>${line(head.map(escape), "th")}</thead>` : "";
  return `<div class="scroll" tabindex="0"><table>${titles}<tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table></div>`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => escapes[sign]!);
