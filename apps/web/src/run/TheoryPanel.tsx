import { useComputed } from "@preact/signals";
import { formatCount, formatSetting, formatValue } from "../format/number.js";
import { criticalBatch, criticalRate, scaledKernel } from "../theory/critical.js";
import { descentOf, edgeRate, type Descent } from "../theory/descent.js";
import { probedOf } from "../theory/probed.js";
import { Formula } from "../ui/Formula.js";
import { MathText } from "../ui/MathText.js";
import { Notice } from "../ui/Notice.js";
import { usePage } from "../view/page.js";
import type { ProbeProps } from "./probe-props.js";

const kernelForm = String.raw`K(\eta,B)\;\approx\;\frac{K_{\text{exact}}}{K_{\text{hd}}}\cdot\frac{c\,\eta}{NC}\sum_\mu\frac{\lambda_\mu}{2-\eta\lambda_\mu}`;
const edgeForm = String.raw`\eta\,(\lambda_{\max}+\delta)=2(1+m)`;

const edgeCondition = ({ momentum, nesterov, weightDecay }: Descent): string =>
  `2${momentum > 0 ? `(1+m)${nesterov ? "/(1+2m)" : ""}` : ""}/${weightDecay > 0 ? "(λ_max+δ)" : "λ_max"}`;

/** Where the run would stand on an edge: the critical learning rate at its batch size, the critical batch size at its rate. */
export function TheoryPanel({ run, status }: ProbeProps) {
  const page = usePage();
  const values = useComputed(() => {
    void page.frame.value;
    const kernel = page.data.series(run.id, "noiseKernel/exact");
    const used = {
      learningRate: page.data.series(run.id, "learningRate"),
      batchSize: page.data.series(run.id, "batchSize"),
    };
    const probed = probedOf(run, page.records.of(run.id).value.records, kernel, "last", used);
    const scaled = probed === null ? null : scaledKernel(probed);
    if (probed === null || scaled === null) return null;
    return {
      step: probed.step,
      rate: criticalRate(scaled, probed.batchSize),
      batch: criticalBatch(scaled, probed.learningRate),
    };
  }).value;
  const { data } = run.config;
  // As they are now: a controller or a schedule may have moved them.
  const learningRate = Number((run.latest["learningRate"] ?? run.config.learningRate ?? NaN).toPrecision(4));
  const batchSize = run.latest["batchSize"] ?? run.config.batchSize ?? NaN;
  const descent = descentOf(run.config);
  const deterministic = descent === null ? NaN : edgeRate(descent, run.latest["sharpness"] ?? NaN);
  const rows = [
    {
      name: "critical learning rate, stochastic edge",
      condition: `K = 1 at B = ${formatCount(batchSize)}`,
      value: values === null ? NaN : values.rate,
      own: learningRate,
      format: (value: number) => formatValue(value, 2),
    },
    {
      name: "critical learning rate, deterministic edge",
      condition: descent === null ? "" : edgeCondition(descent),
      value: deterministic,
      own: learningRate,
      format: (value: number) => formatValue(value, 2),
    },
    {
      name: "critical batch size",
      condition: `K ≤ 1 at η = ${formatSetting(learningRate)}`,
      value: values === null ? NaN : values.batch,
      own: batchSize,
      format: formatCount,
    },
  ].filter(({ value }) => !Number.isNaN(value));
  return (
    <section class="panel text-panel" aria-labelledby="title-theory" data-figure="theory">
      <h2 id="title-theory">Theory</h2>
      <p class="subtitle">
        Where the edges are for this run
        {values !== null && `, from its probe at step ${formatCount(values.step)}`}
        {data?.examples !== undefined && ` of ${formatCount(data.examples)} training examples`}
      </p>
      {rows.length === 0 ? (
        status === "loading" ? (
          <p class="subtitle" role="status">
            Reading …
          </p>
        ) : (
          <Notice title={descent === null ? "None for this optimiser." : "Not enough has been measured yet."}>
            <p>
              {descent === null
                ? "Critical values are given for SGD. Of an adaptive optimiser, K and λ_max·η/2 are measured with its preconditioner."
                : "A probe with a spectrum and a finite K gives the critical values."}
            </p>
          </Notice>
        )
      ) : (
        <table class="plain-table">
          <caption class="visually-hidden">Critical values, and how far the run is from them</caption>
          <thead>
            <tr>
              <th scope="col">quantity</th>
              <th scope="col" class="number">
                critical
              </th>
              <th scope="col" class="number">
                the run’s
              </th>
              <th
                scope="col"
                class="number"
                title="critical value over the run's own; for a batch size the run's over the critical"
              >
                room
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, condition, value, own, format }) => {
              const room = format === formatCount ? own / value : value / own;
              return (
                <tr key={name}>
                  <th scope="row">
                    {name}
                    <small>
                      <MathText text={condition} />
                    </small>
                  </th>
                  <td class="number">{format(value)}</td>
                  <td class="number">{format === formatCount ? formatCount(own) : formatSetting(own)}</td>
                  <td class="number" data-beyond={room < 1}>
                    {formatValue(room, 2)}×
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      <details class="derivation">
        <summary>How these are computed</summary>
        <p>
          <Formula tex={kernelForm} block />
        </p>
        <p>
          The sum runs over the spectrum of the kernel on the run’s probe, with the sampling’s factor{" "}
          <Formula tex="c" /> at batch size <Formula tex="B" />; it follows <Formula tex={String.raw`\eta`} /> and{" "}
          <Formula tex="B" /> as the modes do, and is scaled to the exact <Formula tex="K" /> that was measured. The
          deterministic edge is <Formula tex={edgeForm} /> with momentum <Formula tex="m" />, over{" "}
          <Formula tex="1+2m" /> with Nesterov’s, the weight decay <Formula tex={String.raw`\delta`} /> and the largest
          eigenvalue of the Hessian.
        </p>
      </details>
    </section>
  );
}
