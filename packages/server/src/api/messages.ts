import { standingOf, verdict } from "@sedge/lab/verdict";
import type { RunSummary } from "../store/events.js";
import { stringifyNumbers, toWireNumber } from "../store/non-finite-json.js";
import type { RunMetrics } from "../store/reader.js";
import type { RunSummaryMessage } from "./schemas.js";

/** A run as it goes over the wire. */
export function runMessage(run: RunSummary): RunSummaryMessage {
  const latest = Object.fromEntries(Object.entries(run.latest).map(([key, value]) => [key, toWireNumber(value)]));
  return { ...run, tags: [...run.tags], latest, verdict: verdict(standingOf(run.status, run.step, run.latest)) };
}

/**
 * Metrics as JSON text. Written by hand, because the arrays are long, and because metrics that were recorded together
 * have the same steps and times, whose text is made once.
 */
export function metricsText(metrics: RunMetrics): string {
  return `{"runId":${JSON.stringify(metrics.runId)},"cursor":${metrics.cursor},"series":${seriesText(metrics)}}`;
}

/** Metrics of several runs, by id. */
export function manyMetricsText(all: readonly RunMetrics[]): string {
  const runs = all.map((metrics) => {
    return `${JSON.stringify(metrics.runId)}:{"cursor":${metrics.cursor},"series":${seriesText(metrics)}}`;
  });
  return `{"runs":{${runs.join(",")}}}`;
}

function seriesText({ series }: RunMetrics): string {
  const stepsText = rememberingLast(stringifyNumbers);
  const timesText = rememberingLast(stringifyNumbers);
  const parts = Object.entries(series).map(([key, { steps, times, values }]) => {
    const arrays = `"steps":${stepsText(steps)},"times":${timesText(times)},"values":${stringifyNumbers(values)}`;
    return `${JSON.stringify(key)}:{${arrays}}`;
  });
  return `{${parts.join(",")}}`;
}

function rememberingLast(print: (values: Float64Array) => string): (values: Float64Array) => string {
  let last: Float64Array = new Float64Array();
  let text = print(last);
  return (values) => {
    if (values.length !== last.length || !values.every((value, i) => value === last[i])) {
      last = values;
      text = print(values);
    }
    return text;
  };
}
