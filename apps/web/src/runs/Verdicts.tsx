import type { RunSummary, Verdict } from "../api/types.js";
import { MathText } from "../ui/MathText.js";
import { usePage } from "../view/page.js";

/** So many sentences can be read at a glance; more runs are counted. */
const mostSentences = 6;

const groups: Readonly<Record<Verdict["state"], string>> = {
  diverged: "diverged",
  "past-edge": "past an edge",
  "at-edge": "at an edge",
  inside: "inside, near an edge",
  "well-inside": "well inside both edges",
  unknown: "not measured yet",
};

/** Which edge binds, in words, for each run on the charts. */
export function Verdicts() {
  const page = usePage();
  const newestFirst = [...page.shown.value].reverse();
  const judged = newestFirst.filter((run): run is RunSummary & { verdict: Verdict } => run.verdict !== null);
  if (judged.length === 0) return null;
  return (
    <section class="verdicts" aria-label="Verdicts: which edge binds">
      {judged.length <= mostSentences ? (
        <ul>
          {judged.map(({ id, name, verdict }) => (
            <li key={id} data-state={verdict.state}>
              <span class="swatch" style={{ background: page.colourOf(id) }} />
              <p>
                <strong>{name}</strong>{" "}
                <span class="verdict-text">
                  <MathText text={verdict.text} />
                </span>
              </p>
            </li>
          ))}
        </ul>
      ) : (
        <ul class="verdict-counts">
          {Object.entries(groups).map(([state, words]) => {
            const count = judged.filter(({ verdict }) => verdict.state === state).length;
            return count === 0 ? null : (
              <li key={state} data-state={state}>
                <strong>{count}</strong> {words}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
