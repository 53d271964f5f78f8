import { ApiError } from "./errors.js";
import type { LiveEvent, MetricsEvent, RunRecord, RunStatus, RunSummary, SeriesData, Verdict } from "./types.js";

/**
 * JSON has no NaN and no infinities: the API sends them as the strings "NaN", "Infinity" and "-Infinity". Anything else
 * that is no number counts as not measured, NaN.
 */
export function decodeNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  return NaN;
}

const statuses: ReadonlySet<unknown> = new Set<RunStatus>(["running", "finished", "diverged", "failed", "interrupted"]);
const verdictStates: ReadonlySet<unknown> = new Set<Verdict["state"]>([
  "diverged",
  "past-edge",
  "at-edge",
  "inside",
  "well-inside",
  "unknown",
]);

/** @throws ApiError `malformed`, naming the field, if what identifies the run is missing. */
export function decodeRun(json: unknown): RunSummary {
  const run = object(json, "run");
  if (!statuses.has(run["status"])) throw malformed("run.status", run["status"]);
  const model = optionalObject(run["model"]);
  return {
    id: text(run["id"], "run.id"),
    name: text(run["name"], "run.name"),
    status: run["status"] as RunStatus,
    startedAt: decodeNumber(run["startedAt"]),
    finishedAt: typeof run["finishedAt"] === "number" ? run["finishedAt"] : null,
    step: decodeNumber(run["step"]),
    steps: decodeNumber(run["steps"]),
    config: optionalObject(run["config"]),
    model: { paramCount: decodeNumber(model["paramCount"]), description: orEmpty(model["description"]) },
    message: typeof run["message"] === "string" ? run["message"] : null,
    tags: decodeTags(run["tags"]),
    latest: decodeValues(run["latest"]),
    cursor: decodeNumber(run["cursor"]),
    verdict: decodeVerdict(run["verdict"]),
  };
}

export function decodeRuns(json: unknown): RunSummary[] {
  const { runs } = object(json, "runs");
  if (!Array.isArray(runs)) throw malformed("runs", runs);
  return runs.map(decodeRun);
}

/** What an ingest or a trainer recorded beyond metrics, under the name of its list; `text` of advice goes with its data. */
export function decodeRecords(json: unknown, list: "probes" | "advice"): RunRecord[] {
  const records = object(json, list)[list];
  if (!Array.isArray(records)) throw malformed(list, records);
  return records.map((entry: unknown) => {
    const { step, time, kind, data, text: words } = object(entry, list);
    const content = typeof words === "string" ? { ...optionalObject(data), text: words } : optionalObject(data);
    return {
      step: decodeNumber(step),
      time: decodeNumber(time),
      kind: list === "advice" ? `advice/${text(kind, "kind")}` : text(kind, `${list}.kind`),
      data: content,
    };
  });
}

/** Spectra that an ingest computed, in the shape of those that a trainer records. */
export function decodeSpectra(json: unknown): RunRecord[] {
  const { spectra } = object(json, "spectra");
  if (!Array.isArray(spectra)) throw malformed("spectra", spectra);
  return spectra.map((entry: unknown) => {
    const { step, time, kind, eigenvalues } = object(entry, "spectra");
    return {
      step: decodeNumber(step),
      time: decodeNumber(time),
      kind: `spectrum/${text(kind, "spectra.kind")}`,
      data: { eigenvalues },
    };
  });
}

export function decodeTags(json: unknown): string[] {
  return Array.isArray(json) ? json.filter((tag): tag is string => typeof tag === "string") : [];
}

/** `{ series: { [key]: { steps, times, values } } }` */
export function decodeSeries(json: unknown): Map<string, SeriesData> {
  const series = object(object(json, "metrics")["series"], "metrics.series");
  return new Map(
    Object.entries(series).map(([key, value]) => {
      const { steps, times, values } = object(value, `series ${key}`);
      if (!Array.isArray(steps) || !Array.isArray(times) || !Array.isArray(values))
        throw malformed(`series ${key}`, value);
      if (steps.length !== values.length || times.length !== values.length) throw malformed(`series ${key}`, "lengths");
      return [key, { steps: steps as number[], times: times as number[], values: values.map(decodeNumber) }];
    }),
  );
}

/** `{ runs: { [id]: { series } } }` */
export function decodeManySeries(json: unknown): Map<string, Map<string, SeriesData>> {
  const runs = object(object(json, "metrics")["runs"], "metrics.runs");
  return new Map(Object.entries(runs).map(([id, run]) => [id, decodeSeries(run)]));
}

/** An event of the live stream; null for a kind that this page does not know. */
export function decodeEvent(type: string, json: unknown): LiveEvent | null {
  switch (type) {
    case "hello": {
      const { cursor, reset } = object(json, "hello");
      return { type, cursor: decodeNumber(cursor), reset: reset === true };
    }
    case "run-deleted":
      return { type, runId: text(object(json, "run-deleted")["runId"], "run-deleted.runId") };
    case "run":
      return { type, run: decodeRun(json) };
    case "recorded": {
      const { runId, step } = object(json, "recorded");
      return { type, recorded: { runId: text(runId, "recorded.runId"), step: decodeNumber(step) } };
    }
    case "metrics":
      return { type, metrics: decodeMetrics(json) };
    default:
      return null;
  }
}

function decodeMetrics(json: unknown): MetricsEvent {
  const event = object(json, "metrics");
  return {
    runId: text(event["runId"], "metrics.runId"),
    time: decodeNumber(event["time"]),
    step: decodeNumber(event["step"]),
    values: decodeValues(event["values"]),
  };
}

function decodeVerdict(json: unknown): Verdict | null {
  const { state, binding, text: words } = optionalObject(json);
  if (!verdictStates.has(state) || typeof words !== "string") return null;
  return {
    state: state as Verdict["state"],
    binding: binding === "deterministic" || binding === "stochastic" ? binding : null,
    text: words,
  };
}

function decodeValues(json: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(optionalObject(json)).map(([key, value]) => [key, decodeNumber(value)]));
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw malformed(what, value);
  return value as Record<string, unknown>;
}

const optionalObject = (value: unknown) =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw malformed(what, value);
  return value;
}

const orEmpty = (value: unknown) => (typeof value === "string" ? value : "");

const malformed = (what: string, value: unknown) =>
  new ApiError("malformed", `The server's answer is not what this page expects: ${what} is ${JSON.stringify(value)}.`);
