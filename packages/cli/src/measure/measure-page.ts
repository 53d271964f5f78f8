import { basename } from "node:path";
import type { MeasureReport } from "@sedge/lab/measure";
import type { Colours } from "../io.js";
import { formatCount, formatNumber, formatRatio } from "../output/format.js";
import { pairs, table } from "../output/table.js";

interface Bar {
  readonly value: number;
  readonly standardError: number;
}

/** A measurement for people: both edges, where they are met, layers, examples, advice. */
export function measurePage(report: MeasureReport, colours: Colours): string {
  const { model, data, settings, deterministic, noiseKernel: k, critical, verdict } = report;
  const paint = {
    diverged: colours.red,
    "past-edge": colours.red,
    "at-edge": colours.yellow,
    inside: colours.green,
    "well-inside": colours.green,
    unknown: colours.dim,
  }[verdict.state];
  const accuracy = data.accuracy === null ? "" : `, accuracy ${formatNumber(100 * data.accuracy)} %`;
  const head = pairs(
    [
      ["model", model.description],
      ["data", `${data.description}; loss ${formatNumber(data.loss)}${accuracy}`],
      [
        "run",
        `${settings.optimizer}, B = ${settings.batchSize} of N = ${formatCount(settings.population)}, ${settings.loss} loss`,
      ],
      ["verdict", paint(verdict.text)],
    ],
    colours,
  );
  const edges = pairs(
    [
      [
        "λ_max",
        `${withBar(deterministic.lambdaMax)}   on the deterministic edge at ${formatNumber(deterministic.edge)}`,
      ],
      ["over the edge's", `${ratio(deterministic.ratio)}   1 on the deterministic edge`],
      ["K exact", `${ratio(k.exact)}   1 on the stochastic edge`],
      ["K diagonal", `${ratio(k.diagonal)}   the paper's form`],
      ["K highDim", ratio(k.highDim)],
      ["K trace", ratio(k.trace)],
      ["critical η", criticalRate(report)],
      [
        "η for λ_max",
        `${formatNumber(critical.deterministicLearningRate)}   λ_max on the deterministic edge, at any B`,
      ],
      ["critical B", criticalBatch(report)],
      ["nearer edge", nearerEdge(report)],
    ],
    colours,
  );
  const title = (text: string) => `\n\n${colours.bold(text)}\n`;
  const advice = report.advice.map(({ text }) => `  ${text}`).join("\n");
  const notes = report.notes.map((note) => colours.dim(`  ${note}`)).join("\n");
  return (
    `${head}${title("edges")}${edges}${title("layers")}${layerTable(report, colours)}` +
    `${title("examples nearest the edge")}${exampleTable(report, colours)}${title("advice")}${advice}${title("notes")}${notes}`
  );
}

function criticalRate({ critical, settings, data }: MeasureReport): string {
  const meaning = {
    stochastic: `K = 1 at B = ${settings.batchSize}`,
    deterministic: `the deterministic edge of the ${data.probeExamples} examples of K, where K is still below 1`,
    none: "the kernel is zero",
  }[critical.learningRateEdge];
  return `${withBar(critical.learningRate)}   ${meaning}`;
}

function criticalBatch({ critical: { batchSize }, settings }: MeasureReport): string {
  const at = `at η = ${formatNumber(settings.learningRate)}`;
  if (batchSize.value === Infinity) return `none   past the deterministic edge ${at} no batch is stable`;
  if (batchSize.value === 1) return `1   K < 1 ${at} at every batch size`;
  return `${withBar(batchSize)}   K = 1 ${at}`;
}

function nearerEdge({ critical: { deterministicAbove: above } }: MeasureReport): string {
  if (above.value === Infinity) return "the stochastic one, at every batch size";
  if (above.value === 1) return "the deterministic one, at every batch size";
  return `the deterministic one above B = ${withBar(above)}`;
}

function layerTable({ layers }: MeasureReport, colours: Colours): string {
  const percent = (share: number) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "—");
  const right = (title: string) => ({ title, align: "right" as const });
  return table(
    [
      { title: "layer" },
      { title: "kind" },
      ...["numbers", "of tr Θ", "of λ_max", "of Perron", "K alone", "edge alone"].map(right),
    ],
    layers.map((row) => [
      ...[row.name, row.kind, formatCount(row.size)],
      ...[row.traceShare, row.lambdaMaxShare, row.perronShare].map(percent),
      ...[row.noiseKernel, row.deterministicRatio].map(formatRatio),
    ]),
    colours,
  );
}

function exampleTable({ examples, data }: MeasureReport, colours: Colours): string {
  if (examples.length === 0) return "  none stands out";
  const areFiles = examples.some(({ file }) => file !== null);
  const rows = examples.map(({ index, label, weight, file }) => [
    String(index),
    label ?? "—",
    `${(weight * data.probeExamples).toFixed(2)} ×`,
    ...(areFiles ? [file === null ? "" : basename(file)] : []),
  ]);
  const columns = [
    { title: "number", align: "right" as const },
    { title: "class" },
    { title: "weight over its share", align: "right" as const },
    ...(areFiles ? [{ title: "file" }] : []),
  ];
  return table(columns, rows, colours);
}

function withBar({ value, standardError }: Bar): string {
  const known = Number.isFinite(value) && Number.isFinite(standardError);
  return `${formatNumber(value)}${known ? ` ± ${formatNumber(standardError, 2)}` : ""}`;
}

function ratio({ value, standardError }: Bar): string {
  const known = Number.isFinite(value) && Number.isFinite(standardError);
  return `${formatRatio(value)}${known ? ` ± ${formatNumber(standardError, 2)}` : ""}`;
}
