import { standingOf, verdict } from "@sedge/lab/verdict";
import type { RunSummary } from "../store/events.js";
import { stringifyNumbers, toWireNumber } from "../store/non-finite-json.js";
import type { RunMetrics } from "../store/reader.js";
import type { RunSummaryMessage } from "./schemas.js";

/** A run as it goes over the wire. */
export function runMessage(run: RunSummary): RunSummaryMessage {
  const latest = Object.fromEntries(Object.entries(run.latest).map(([key, value]) => [key, toWireNumber(value)]));
  return { ...run, latest, verdict: verdict(standingOf(run.status, run.step, run.latest)) };
}

/** Metrics as JSON text. Written by hand, because the arrays are long: one pass over each instead of three. */
export function metricsText({ runId, cursor, series }: RunMetrics): string {
  const parts = Object.entries(series).map(
    ([key, { steps, times, values }]) =>
      `${JSON.stringify(key)}:{"steps":${stringifyNumbers(steps)},"times":${stringifyNumbers(times)},"values":${stringifyNumbers(values)}}`,
  );
  return `{"runId":${JSON.stringify(runId)},"cursor":${cursor},"series":{${parts.join(",")}}}`;
}
