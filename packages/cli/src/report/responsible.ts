import type { AttributionRecordData, ExamplesRecordData, ResponsibleRecord } from "@sedge/lab";
import { escapeHtml, htmlSection, htmlTable } from "@sedge/lab/figures";
import { formatCount } from "../output/format.js";
import { bitmapUri } from "./bitmap.js";
import type { ReportedRun } from "./report-data.js";

/** The layers and the training examples that put a run at the edge, at its last probe; nothing where none were recorded. */
export function responsibleSections({ attribution, examples }: ReportedRun): string {
  return [
    attribution === null
      ? ""
      : htmlSection("Layers that make the edges", layers(attribution.data as unknown as AttributionRecordData)),
    examples === null
      ? ""
      : htmlSection("Examples that make K", gallery(examples.data as unknown as ExamplesRecordData)),
  ].join("\n");
}

function layers({ layers, examples }: AttributionRecordData): string {
  const rows = layers.map(({ name, kind, size, perronShare, lambdaMaxShare, traceShare }) => [
    escapeHtml(`${name} (${kind})`),
    formatCount(size),
    share(perronShare),
    share(lambdaMaxShare),
    share(traceShare),
  ]);
  return `${htmlTable(["layer", "parameters", "of K", "of λ_max", "of tr Θ"], rows)}<p class="small">Shares of all layers, on ${examples} examples. Of K: of its Perron vector.</p>`;
}

function share(value: number): string {
  if (!Number.isFinite(value)) return "—";
  const percent = `${(100 * value).toFixed(0)} %`;
  return `<span class="share"><i style="width:${(100 * Math.min(1, Math.max(0, value))).toFixed(1)}%"></i></span> ${percent}`;
}

function gallery({ responsible, examples, effectiveExamples }: ExamplesRecordData): string {
  const figures = responsible.map((one) => `<figure>${picture(one)}<figcaption>${caption(one)}</figcaption></figure>`);
  return `<div class="examples">${figures.join("")}</div><p class="small">Of the ${examples} probed, by their share of K's Perron vector, which is spread as over ${effectiveExamples.toFixed(1)} examples of equal weight. Numbers are places in the training set.</p>`;
}

function picture({ image, index }: ResponsibleRecord): string {
  return image === undefined ? "" : `<img src="${bitmapUri(image)}" alt="training example ${index}">`;
}

function caption({ index, weight, label, predicted }: ResponsibleRecord): string {
  const said = predicted === undefined || predicted === label ? "" : `, taken for ${predicted}`;
  const what = label === undefined ? "" : `<br>class ${label}${said}`;
  return `<b>${(100 * weight).toFixed(0)} %</b> number ${index}${what}`;
}
