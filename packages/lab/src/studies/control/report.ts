import { predictors } from "../../edge-test/predict.js";
import type { CellResult } from "./run-cell.js";
import { interval, showInterval } from "./statistics.js";

/** The study's tables as Markdown, some for each task. */
export function controlReport(results: readonly CellResult[]): string {
  const names = [...new Set(results.map(({ task }) => task))];
  const parts = names.map((name) =>
    taskReport(
      name,
      results.filter(({ task }) => task === name),
    ),
  );
  return [...parts, edgeReport(results), transferReport(results)].filter((part) => part !== "").join("\n\n");
}

/** All runs of one arm from one start, one a seed. */
export interface Group {
  readonly arm: string;
  readonly start: number;
  readonly runs: readonly CellResult[];
}

export function groupsOf(results: readonly CellResult[]): Group[] {
  const groups = new Map<string, CellResult[]>();
  for (const result of results) {
    const key = `${result.arm} | ${result.start}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map((runs) => ({ arm: runs[0]!.arm, start: runs[0]!.start, runs }));
}

/** The group of an arm whose training loss is least on average, of those whose runs all finished. */
export function bestOf(groups: readonly Group[], arm: string): Group | null {
  const loss = ({ runs }: Group) => interval(runs.map(({ loss }) => loss))!.mean;
  const sound = groups.filter((group) => group.arm === arm && group.runs.every(({ loss }) => loss !== null));
  return sound.reduce<Group | null>((best, group) => (best === null || loss(group) < loss(best) ? group : best), null);
}

/** Share of its steps after which the best constant rate has set the target. */
const targetShare = 0.75;

/** The minibatch loss that the best constant rate has come to at three quarters of its steps, on average. */
function targetLoss(groups: readonly Group[]): number {
  const best = bestOf(groups, "constant");
  const reached = best?.runs.map(({ curve, config: { steps = Infinity } }) => {
    const before = curve.filter(({ step }) => step <= targetShare * steps);
    return smooth(before).at(-1)?.loss;
  });
  return interval(reached ?? [])?.mean ?? NaN;
}

/** Means of five points each, the last of which is where it stands: the loss of few minibatches is noise. */
const window = 5;
const smooth = (curve: CellResult["curve"]): CellResult["curve"] =>
  curve.map((point, i) => {
    const some = curve.slice(Math.max(0, i + 1 - window), i + 1);
    return { ...point, loss: some.reduce((sum, { loss }) => sum + loss, 0) / some.length };
  });

const reaches = ({ curve }: CellResult, target: number) =>
  smooth(curve)
    .slice(window - 1)
    .find(({ loss }) => loss <= target);

function taskReport(name: string, results: readonly CellResult[]): string {
  const groups = groupsOf(results);
  const target = targetLoss(groups);
  const rows = groups.map(({ arm, start, runs }) => {
    const over = (of: (run: CellResult) => number | null | undefined) => showInterval(interval(runs.map(of)));
    const finished = runs.filter(({ status }) => status === "finished").length;
    return [
      ...[arm, String(start), `${finished} of ${runs.length}`],
      ...[over(({ loss }) => loss), over(({ testAccuracy }) => testAccuracy)],
      over((run) => reaches(run, target)?.step ?? null),
      over((run) => reaches(run, target)?.seconds ?? null),
      over(({ seconds }) => seconds),
      over(({ controlSeconds, seconds }) => (100 * controlSeconds) / seconds),
      ...[over(({ measurements }) => measurements), over(({ finalLearningRate }) => finalLearningRate)],
    ];
  });
  const columns =
    "arm|start η ÷ good η|finished|training loss|test accuracy|steps to target|seconds to target|seconds|% of them control|measured|last η";
  const sentence = Number.isFinite(target) ? `\n\nTarget: a minibatch loss of ${target.toPrecision(3)}.` : "";
  return `### ${name}\n\n${table(columns.split("|"), rows)}${sentence}`;
}

/** Predicted over measured critical η, by task and predictor. */
export function edgeRatios(results: readonly CellResult[], predictor: (typeof predictors)[number]): number[] {
  return results.flatMap(({ edge }) => {
    const [measured, predicted] = [edge?.measured.value, edge?.predicted[predictor]];
    // Numbers that are none are null in a file.
    return typeof measured === "number" && measured > 0 && typeof predicted === "number" ? [predicted / measured] : [];
  });
}

function edgeReport(results: readonly CellResult[]): string {
  const names = [...new Set(results.filter(({ edge }) => edge !== null).map(({ task }) => task))];
  if (names.length === 0) return "";
  const rows = names.map((name) => {
    const own = results.filter(({ task }) => task === name);
    const measured = own.flatMap(({ edge }) => edge?.measured.value ?? []);
    const ratios = predictors.map((predictor) => showInterval(interval(edgeRatios(own, predictor))));
    return [name, showInterval(interval(measured)), ...ratios];
  });
  const head =
    "Edge test at the end of the constant runs at the good η: predicted over measured critical η, 1 where a predictor is right.";
  return `### Where the edge is\n\n${head}\n\n${table(["task", "measured critical η", ...predictors], rows)}`;
}

/** What the first task's best learning rate and one K are worth elsewhere. */
function transferReport(results: readonly CellResult[]): string {
  const first = results[0];
  if (first === undefined) return "";
  const source = bestOf(groupsOf(results.filter(({ task }) => task === first.task)), "constant");
  const names = [...new Set(results.map(({ task }) => task))].filter((name) => name !== first.task);
  if (source === null || names.length === 0) return "";
  const carried = source.runs[0]!.config.learningRate;
  const rows = names.map((name) => {
    const groups = groupsOf(results.filter(({ task }) => task === name));
    const lossOf = (group: Group | null | undefined) =>
      showInterval(group ? interval(group.runs.map(({ loss }) => loss)) : null);
    const best = bestOf(groups, "constant");
    const same = groups.find(
      ({ arm, runs }) => arm === "constant" && Math.abs(runs[0]!.config.learningRate / carried - 1) < 1e-9,
    );
    const toK = (target: number) => groups.find(({ arm, start }) => arm === `K = ${target}` && start === 1);
    return [
      name,
      lossOf(best),
      String(best?.runs[0]!.config.learningRate ?? "–"),
      lossOf(same),
      lossOf(toK(0.5)),
      lossOf(toK(1)),
    ];
  });
  const head = `Training loss where settings are carried over: the best constant η of ${first.task}, ${carried}, and one target of K. A dash: not tried, or not finished.`;
  const columns = ["task", "best of its own grid", "at η", `η = ${carried}`, "K = 0.5", "K = 1"];
  return `### Transfer\n\n${head}\n\n${table(columns, rows)}`;
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const table = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(columns), `|${"---|".repeat(columns.length)}`, ...rows.map(line)].join("\n");
