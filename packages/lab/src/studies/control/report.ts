import { number } from "../../advice/measured.js";
import { predictors } from "../../edge-test/predict.js";
import type { CellResult } from "./run-cell.js";

/** Mean and half-width of a 95 % confidence interval by Student's t, over seeds; "never" where no seed has a value. */
function interval(values: readonly (number | null)[], digits = 3): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return "never";
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  const some = known.length < values.length ? ` (${known.length} of ${values.length})` : "";
  if (known.length === 1) return `${number(mean, digits)}${some}`;
  const variance = known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (known.length - 1);
  const half = studentT(known.length - 1) * Math.sqrt(variance / known.length);
  return `${number(mean, digits)} ± ${number(half, 2)}${some}`;
}

const quantiles = [NaN, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
const studentT = (freedom: number) => quantiles[freedom] ?? 1.96;

/** The study's tables as Markdown, one pair a task. */
export function controlReport(results: readonly CellResult[]): string {
  const names = [...new Set(results.map(({ task }) => task))];
  return names
    .map((name) =>
      taskReport(
        name,
        results.filter(({ task }) => task === name),
      ),
    )
    .join("\n\n");
}

function taskReport(name: string, results: readonly CellResult[]): string {
  const groups = new Map<string, CellResult[]>();
  for (const result of results) {
    const key = `${result.arm} | ${result.start}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const rows = [...groups].map(([key, group]) => {
    const finished = group.filter(({ status }) => status === "finished").length;
    return `| ${[
      key,
      `${finished} of ${group.length}`,
      interval(group.map(({ loss }) => loss)),
      interval(group.map(({ testAccuracy }) => testAccuracy)),
      interval(group.map(({ stepsToTarget }) => stepsToTarget)),
      interval(group.map(({ secondsToTarget }) => secondsToTarget)),
      interval(group.map(({ seconds }) => seconds)),
      interval(group.map(({ controlSeconds }) => controlSeconds)),
      interval(group.map(({ finalLearningRate }) => finalLearningRate)),
    ].join(" | ")} |`;
  });
  const head =
    "| arm | start η ÷ good η | finished | training loss | test accuracy | steps to target | seconds to target | seconds | of them control | last η |\n" +
    "|---|---|---|---|---|---|---|---|---|---|";
  return `### ${name}\n\n${head}\n${rows.join("\n")}${edges(results)}`;
}

function edges(results: readonly CellResult[]): string {
  const tested = results.filter(({ edge }) => edge !== null && Number.isFinite(edge.measured.value));
  if (tested.length === 0) return "";
  const rows = predictors.map((predictor) => {
    const ratios = tested.map(({ edge }) => edge!.predicted[predictor] / edge!.measured.value);
    return `| ${predictor} | ${interval(ratios)} |`;
  });
  const measured = interval(tested.map(({ edge }) => edge!.measured.value));
  return `\n\nEdge test at the end of the constant runs: measured critical η ${measured} over ${tested.length} seeds.\n\n| predicted by | predicted ÷ measured critical η |\n|---|---|\n${rows.join("\n")}`;
}
