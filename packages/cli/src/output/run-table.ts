import { standingOf, verdict } from "@sedge/lab";
import type { RunSummary } from "@sedge/server";
import type { Colours } from "../io.js";
import { formatNumber, formatRatio, formatWithError } from "./format.js";
import { table } from "./table.js";

/** How runs ended: what `sedge demo` and `sedge train` print last. */
export function resultTable(runs: readonly RunSummary[], colours: Colours): string {
  const rows = runs.map((run) => {
    const { latest } = run;
    return [
      run.name,
      formatNumber(latest["loss/train"]),
      formatRatio(latest["edge/deterministic"]),
      formatWithError(latest["noiseKernel/exact"], latest["noiseKernel/exact/standardError"]),
      formatRatio(latest["noiseKernel/diagonal"]),
      formatRatio(latest["noiseKernel/trace"]),
      verdictText(run, colours, "words"),
    ];
  });
  return table(
    [
      { title: "run" },
      { title: "final loss", align: "right" },
      { title: "λ_max·η/2", align: "right" },
      { title: "K exact", align: "right" },
      { title: "K diagonal", align: "right" },
      { title: "K trace", align: "right" },
      { title: "verdict" },
    ],
    rows,
    colours,
  );
}

/**
 * Where a run stands, in the colour of its distance to the edge.
 *
 * @param form  `words` leaves out the numbers, for where they stand beside it.
 */
export function verdictText(
  { status, step, latest }: RunSummary,
  colours: Colours,
  form: "words" | "sentence" = "sentence",
): string {
  const { state, text } = verdict(standingOf(status, step, latest));
  const paint = {
    diverged: colours.red,
    "past-edge": colours.red,
    "at-edge": colours.yellow,
    inside: colours.green,
    "well-inside": colours.green,
    unknown: colours.dim,
  }[state];
  return paint(form === "words" && state !== "diverged" ? text.replace(/: K = [^;]*/, "") : text);
}
