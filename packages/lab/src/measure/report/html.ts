import { escapeHtml, htmlSection, htmlTable } from "../../figures/plotting/html.js";
import { drawSheet } from "../../figures/plotting/sheet.js";
import { darkTheme, lightTheme } from "../../figures/plotting/theme.js";
import { bar, number } from "../../advice/measured.js";
import type { EdgeExample, MeasureReport } from "../report-data.js";
import { spectrumSheet } from "./spectrum-sheet.js";

/**
 * A measurement as one HTML page that needs nothing else: no script, no font, no other file.
 *
 * @param images  Data URIs of the report's examples, in their order; none where the data are no images.
 */
export function reportHtml(report: MeasureReport, images: readonly string[]): string {
  const { model, data, settings, verdict } = report;
  const title = `Stability of ${baseName(model.path)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="verdict ${verdict.state}">${escapeHtml(capital(verdict.text))}.</p>
<p>${escapeHtml(model.description)}. ${escapeHtml(data.description)}. ${escapeHtml(settings.optimizer)}, B = ${settings.batchSize} of N = ${settings.population.toLocaleString("en-GB")}, ${escapeHtml(settings.sampling.replaceAll("-", " "))}, ${escapeHtml(settings.loss)} loss; loss ${number(data.loss)}${data.accuracy === null ? "" : `, accuracy ${number(100 * data.accuracy)} %`} on ${data.curvatureExamples} examples.</p>
</header>
${htmlSection("What to do", `<ul>${report.advice.map(({ text }) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>`)}
${htmlSection("The two edges", edges(report))}
${htmlSection("Where the edges are met", critical(report))}
${htmlSection("The spectrum", spectrum(report))}
${htmlSection("Layers", layers(report))}
${htmlSection("The examples nearest the edge", examples(report, images))}
${htmlSection("How it was measured", `<ul>${[...report.notes, timing(report)].map((note) => `<li>${escapeHtml(note)}</li>`).join("")}</ul>`)}
</main>
</body>
</html>
`;
}

function edges({ deterministic, noiseKernel: k }: MeasureReport): string {
  const rows: [string, string, string][] = [
    [
      "λ<sub>max</sub> of the Hessian",
      `${escapeHtml(bar(deterministic.lambdaMax))}`,
      `on the edge at ${number(deterministic.edge)}, unit 1/η; solver’s residual ${number(deterministic.ritzResidual, 2)}`,
    ],
    ["distance to the deterministic edge", escapeHtml(bar(deterministic.ratio)), "1 on the edge, dimensionless"],
    [
      "K exact",
      escapeHtml(bar(k.exact)),
      `1 on the stochastic edge, dimensionless; carried on to many examples ${number(k.exact.extrapolated)}`,
    ],
    ["K diagonal", escapeHtml(bar(k.diagonal)), "the paper’s form"],
    ["K high-dimensional", escapeHtml(bar(k.highDim)), "from the spectrum alone"],
    ["K trace", escapeHtml(bar(k.trace)), "from the trace alone"],
  ];
  return htmlTable(["quantity", "value ± standard error", ""], rows);
}

function critical({ critical: c, settings }: MeasureReport): string {
  return htmlTable(
    ["", "value ± standard error", ""],
    [
      [
        c.learningRateEdge === "deterministic"
          ? "η at which the examples of K are on their deterministic edge, K still below 1"
          : `η at which K = 1, for B = ${settings.batchSize}`,
        escapeHtml(bar(c.learningRate)),
        `now ${number(settings.learningRate)}`,
      ],
      [
        "η at which λ<sub>max</sub> is on the deterministic edge, for any B",
        number(c.deterministicLearningRate),
        `now ${number(settings.learningRate)}`,
      ],
      [
        `B at which K = 1, for η = ${number(settings.learningRate)}`,
        c.batchSize.value === 1 ? "none: K &lt; 1 at every B" : escapeHtml(bar(c.batchSize)),
        `now ${settings.batchSize}`,
      ],
      [
        "B above which the deterministic edge is the nearer one",
        c.deterministicAbove.value === 1 ? "every B" : escapeHtml(bar(c.deterministicAbove)),
        "",
      ],
    ],
  );
}

function spectrum(report: MeasureReport): string {
  const draw = (theme: typeof lightTheme) => drawSheet(spectrumSheet(report, theme), theme);
  return `<div class="figure light">${draw(lightTheme)}</div><div class="figure dark">${draw(darkTheme)}</div>`;
}

function layers({ layers: rows }: MeasureReport): string {
  const percent = (share: number) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "—");
  return `${htmlTable(
    ["layer", "kind", "numbers", "of tr Θ", "of λ_max", "of K’s Perron vector", "K alone", "deterministic edge alone"],
    rows.map((row) => [
      escapeHtml(row.name),
      escapeHtml(row.kind),
      row.size.toLocaleString("en-GB"),
      percent(row.traceShare),
      percent(row.lambdaMaxShare),
      percent(row.perronShare),
      number(row.noiseKernel),
      number(row.deterministicRatio),
    ]),
  )}<p class="small">Shares sum to 100 % over layers. “Alone”: of the network in which only this layer is trained; 1 is on the edge, dimensionless.</p>`;
}

function examples({ examples: rows, data }: MeasureReport, images: readonly string[]): string {
  if (rows.length === 0) return "<p>None: without noise, or past the deterministic edge, no example stands out.</p>";
  const even = 1 / data.probeExamples;
  const one = (example: EdgeExample, image: string | undefined) =>
    `<figure>${image === undefined ? "" : `<img src="${image}" alt="example ${example.index}">`}<figcaption>${
      example.label === null ? "" : `<b>${escapeHtml(example.label)}</b> `
    }${example.file === null ? `no. ${example.index}` : `<span title="${escapeHtml(example.file)}">${escapeHtml(baseName(example.file))}</span>`}<br>${(example.weight / even).toFixed(1)} × its share</figcaption></figure>`;
  return `<div class="examples">${rows.map((row, i) => one(row, images[i])).join("")}</div>
<p class="small">Weights of the examples in the Perron vector of K, over 1/n = ${number(even)}: what each does to put the run at the edge.</p>`;
}

function timing({ seconds }: MeasureReport): string {
  const parts = Object.entries(seconds).map(([stage, time]) => `${stage} ${number(time, 2)} s`);
  return `Time: ${parts.join(", ")}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const baseName = (path: string): string => path.split(/[\\/]/).at(-1)!;

const style = `
:root { --paper: #fff; --ink: #1a1f26; --muted: #4d5561; --rule: #dfe3e8; --good: #0f6b55; --warn: #8a5300; --bad: #b3261e; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #eef1f5; --muted: #aeb7c3; --rule: #303846; --good: #4fd1ab; --warn: #ffab5c; --bad: #ff8a80; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 Inter, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { font-size: 1.1rem; font-weight: 600; } .inside, .well-inside { color: var(--good); } .at-edge { color: var(--warn); } .past-edge { color: var(--bad); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; } th, .small, figcaption { color: var(--muted); font-size: .87rem; }
.figure svg { max-width: 100%; height: auto; } .dark { display: none; }
@media (prefers-color-scheme: dark) { .light { display: none; } .dark { display: block; } }
.examples { display: flex; flex-wrap: wrap; gap: 1rem; } .examples figure { margin: 0; } .examples img { display: block; min-width: 84px; image-rendering: pixelated; border: 1px solid var(--rule); }
li { margin: .3rem 0; }
`;
