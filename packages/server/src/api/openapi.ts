import { z } from "zod";
import { metricLineSchema } from "../ingest/metric-lines.js";
import { probeBodySchema, probeQuerySchema } from "../ingest/probe/probe-request.js";
import {
  finishRunSchema,
  metricsPostQuerySchema,
  metricsTakenSchema,
  newRunSchema,
  probeAnswerSchema,
} from "./ingest-schemas.js";
import { adviceSchema, artifactsSchema, probesSchema, recordsQuerySchema, spectraSchema } from "./record-schemas.js";
import {
  errorSchema,
  eventsQuerySchema,
  healthSchema,
  helloSchema,
  manyMetricsQuerySchema,
  manyMetricsSchema,
  metricsEventSchema,
  metricsQuerySchema,
  recordedEventSchema,
  runAnswerSchema,
  runDeletedEventSchema,
  runListSchema,
  runMetricsSchema,
  runSummarySchema,
  tagsSchema,
} from "./schemas.js";

interface Route {
  readonly method?: "post" | "put" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Of the body. Default application/json. */
  readonly bodyType?: string;
  /** Bodies of other types, beside. */
  readonly binary?: readonly string[];
  /** Of a successful answer, where that is not 200. */
  readonly status?: 201 | 204;
  /** Of a successful answer, where that is not JSON. */
  readonly answerType?: string;
  /** Of a successful answer; a 204 has none. */
  readonly answer?: z.ZodType;
}

const routes: readonly Route[] = [
  { path: "/api/v1/health", summary: "Whether the server can answer, and for which store", answer: healthSchema },
  { path: "/api/v1/runs", summary: "All runs, newest first", answer: runListSchema },
  { path: "/api/v1/runs/{id}", summary: "One run", answer: runAnswerSchema },
  {
    method: "post",
    path: "/api/v1/runs",
    summary: "Starts a run whose trainer is elsewhere (201), or finds it going on (200)",
    body: newRunSchema,
    status: 201,
    answer: runAnswerSchema,
  },
  {
    method: "delete",
    path: "/api/v1/runs/{id}",
    summary: "Deletes a run that nobody writes; by its whole id",
    status: 204,
  },
  {
    method: "put",
    path: "/api/v1/runs/{id}/tags",
    summary: "Gives a run these tags in place of those it has",
    body: tagsSchema,
    answer: tagsSchema,
  },
  {
    path: "/api/v1/runs/{id}/metrics",
    summary: "What a run has measured",
    query: metricsQuerySchema,
    answer: runMetricsSchema,
  },
  {
    method: "post",
    path: "/api/v1/runs/{id}/metrics",
    summary: "Adds metrics, as JSON lines. They are stored when the answer comes",
    query: metricsPostQuerySchema,
    body: metricLineSchema,
    bodyType: "application/x-ndjson",
    answer: metricsTakenSchema,
  },
  {
    method: "post",
    path: "/api/v1/runs/{id}/probes",
    summary:
      "Takes a probe's Gram, or a trace, and stores K, both edges, the spectrum and advice. A raw body is the Gram in " +
      "little-endian numbers; what JSON has beside it is then in the query",
    query: probeQuerySchema.partial(),
    body: probeBodySchema,
    binary: ["application/octet-stream"],
    status: 201,
    answer: probeAnswerSchema,
  },
  {
    method: "post",
    path: "/api/v1/runs/{id}/heartbeat",
    summary: "Says that the run's trainer is alive, where it has nothing to report",
    status: 204,
  },
  {
    method: "post",
    path: "/api/v1/runs/{id}/finish",
    summary: "Ends a run whose trainer is elsewhere",
    body: finishRunSchema,
    answer: runAnswerSchema,
  },
  {
    path: "/api/v1/runs/{id}/probes",
    summary: "The probes of a run, in order of step",
    query: recordsQuerySchema,
    answer: probesSchema,
  },
  {
    path: "/api/v1/runs/{id}/spectra",
    summary: "The spectra of a run, in order of step",
    query: recordsQuerySchema,
    answer: spectraSchema,
  },
  {
    path: "/api/v1/runs/{id}/advice",
    summary: "What a run was advised, in order of step",
    query: recordsQuerySchema,
    answer: adviceSchema,
  },
  { path: "/api/v1/runs/{id}/artifacts", summary: "The files of a run, in order of name", answer: artifactsSchema },
  { path: "/api/v1/runs/{id}/artifacts/{name}", summary: "A file of a run", answerType: "application/octet-stream" },
  {
    method: "put",
    path: "/api/v1/runs/{id}/artifacts/{name}",
    summary: "Gives a run a file, in place of one of that name",
    binary: ["application/octet-stream"],
    status: 204,
  },
  {
    path: "/api/v1/metrics",
    summary: "What several runs have measured",
    query: manyMetricsQuerySchema,
    answer: manyMetricsSchema,
  },
  {
    path: "/api/v1/events",
    summary:
      "Server-sent events: hello, run, metrics, recorded, run-deleted. The id of a message is its place in the store's sequence; " +
      "Last-Event-ID, or the parameter, goes on from there.",
    query: eventsQuerySchema,
    answerType: "text/event-stream",
  },
];

const schemas = {
  Error: errorSchema,
  RunSummary: runSummarySchema,
  HelloEvent: helloSchema,
  MetricsEvent: metricsEventSchema,
  RecordedEvent: recordedEventSchema,
  RunDeletedEvent: runDeletedEventSchema,
};

/** The API as an OpenAPI 3.1 document, https://spec.openapis.org/oas/v3.1.1, out of the schemas that it is checked by. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method = "get", path, summary, query, body, answer, ...types } of routes) {
    const { status = 200, answerType = "application/json", bodyType = "application/json", binary = [] } = types;
    const requestBody = {
      ...(body && { [bodyType]: { schema: jsonSchema(body, "input") } }),
      ...Object.fromEntries(binary.map((type) => [type, {}])),
    };
    const content = { [answerType]: answer ? { schema: jsonSchema(answer) } : {} };
    const operation = {
      summary,
      parameters: [...pathParameters(path), ...queryParameters(query)],
      ...((body !== undefined || binary.length > 0) && { requestBody: { required: true, content: requestBody } }),
      responses: {
        [status]: { description: answer?.description ?? summary, ...(status === 204 ? {} : { content }) },
        default: { description: "What went wrong", content: json({ $ref: "#/components/schemas/Error" }) },
      },
    };
    (paths[path] ??= {})[method] = operation;
  }
  return {
    openapi: "3.1.1",
    info: { title: "Sedge", version, description: "Runs of a Sedge store, and what they measure as they do." },
    paths,
    components: { schemas: Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, jsonSchema(one)])) },
  };
}

const json = (schema: object) => ({ "application/json": { schema } });

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    description:
      name === "id" ? "Of the run; to read, the beginning of one, or a name, where a single run fits" : "Of the file",
  }));
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  if (query === undefined) return [];
  // What a client may send, which is text that the schema turns into the number or the list.
  const { properties = {}, required = [] } = jsonSchema(query, "input") as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
    description,
  }));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output" = "output"): object {
  const described = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  delete described.$schema; // OpenAPI 3.1 has this dialect by default
  return described;
}
