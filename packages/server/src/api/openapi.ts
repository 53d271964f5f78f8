import { z } from "zod";
import {
  errorSchema,
  eventsQuerySchema,
  healthSchema,
  helloSchema,
  manyMetricsQuerySchema,
  manyMetricsSchema,
  metricsEventSchema,
  metricsQuerySchema,
  runAnswerSchema,
  runDeletedEventSchema,
  runListSchema,
  runMetricsSchema,
  runSummarySchema,
  tagsSchema,
} from "./schemas.js";

interface Route {
  readonly method?: "put" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Of a successful answer; a deletion has none, and the stream has messages. */
  readonly answer?: z.ZodType;
}

const routes: readonly Route[] = [
  { path: "/api/v1/health", summary: "Whether the server can answer, and for which store", answer: healthSchema },
  { path: "/api/v1/runs", summary: "All runs, newest first", answer: runListSchema },
  { path: "/api/v1/runs/{id}", summary: "One run", answer: runAnswerSchema },
  { method: "delete", path: "/api/v1/runs/{id}", summary: "Deletes a run that nobody writes; by its whole id" },
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
    path: "/api/v1/metrics",
    summary: "What several runs have measured",
    query: manyMetricsQuerySchema,
    answer: manyMetricsSchema,
  },
  {
    path: "/api/v1/events",
    summary:
      "Server-sent events: hello, run, metrics, run-deleted. The id of a message is its place in the store's sequence; " +
      "Last-Event-ID, or the parameter, goes on from there.",
    query: eventsQuerySchema,
  },
];

const schemas = {
  Error: errorSchema,
  RunSummary: runSummarySchema,
  HelloEvent: helloSchema,
  MetricsEvent: metricsEventSchema,
  RunDeletedEvent: runDeletedEventSchema,
};

/** The API as an OpenAPI 3.1 document, https://spec.openapis.org/oas/v3.1.1, out of the schemas that it is checked by. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method = "get", path, summary, query, body, answer } of routes) {
    const operation = {
      summary,
      parameters: [...pathParameters(path), ...queryParameters(query)],
      ...(body && { requestBody: { required: true, content: json(jsonSchema(body, "input")) } }),
      responses: {
        ...(method === "delete"
          ? { 204: { description: "Done" } }
          : {
              200: { description: answer?.description ?? summary, content: answer ? json(jsonSchema(answer)) : stream },
            }),
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

const stream = { "text/event-stream": { schema: { type: "string" } } };
const json = (schema: object) => ({ "application/json": { schema } });

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    description: "An id, the beginning of one, or a name, where a single run fits",
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
