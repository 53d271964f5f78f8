import { formatCount, formatSetting } from "../format/number.js";
import { MathText } from "../ui/MathText.js";
import { Notice } from "../ui/Notice.js";
import type { ProbeProps } from "./probe-props.js";
import { advice, recordsOf } from "./record-data.js";

/** Who says so, first those who know more. */
const voices = ["advice/advisor", "advice", "advice/probe"];

const tempers: Readonly<Record<string, string>> = {
  "too-bold": "Too bold: past an edge, or surely about to be",
  balanced: "Balanced: between timid and too bold",
  timid: "Timid: far inside both edges",
};
const confidences: Readonly<Record<string, string>> = {
  sure: "the decision is at least two standard errors away",
  likely: "the decision is less than two standard errors away",
  unsure: "no advice follows from it",
};

/** What should be changed, and why: the newest advice that was recorded. */
export function AdvicePanel({ run, records, status }: ProbeProps) {
  const spoken = voices.map((kind) => recordsOf(records, kind, advice).at(-1)).find((one) => one !== undefined);
  return (
    <section class="panel text-panel" aria-labelledby="title-advice" data-figure="advice">
      <h2 id="title-advice">Advice</h2>
      {spoken === undefined ? (
        status === "loading" ? (
          <p class="subtitle" role="status">
            Reading …
          </p>
        ) : (
          <Notice title="No advice has been recorded for this run.">
            <p>
              Ask for it in the folder of the store: <code>npx sedge advise {run.id}</code>
            </p>
          </Notice>
        )
      ) : (
        <>
          <p class="subtitle">
            {tempers[spoken.temper] ?? "What was measured"}, at step {formatCount(spoken.step)}
          </p>
          {spoken.statements.length === 0 ? (
            <p>
              <MathText text={spoken.text} />
            </p>
          ) : (
            <ul class="advice">
              {spoken.statements.map(({ about, text, confidence, change }) => (
                <li key={about + text}>
                  <p>
                    <MathText text={text} />
                  </p>
                  <p class="advice-foot">
                    {confidence !== "" && (
                      <span class="chip" data-confidence={confidence} title={confidences[confidence]}>
                        {confidence}
                      </span>
                    )}
                    {change.learningRate > 0 && <code>--learning-rate {formatSetting(change.learningRate)}</code>}
                    {change.batchSize > 0 && <code>--batch-size {change.batchSize}</code>}
                  </p>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}
