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
} from "./schemas.js";

interface Route {
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** Of a successful answer; the stream has messages instead. */
  readonly answer?: z.ZodType;
}

const routes: readonly Route[] = [
  { path: "/api/v1/health", summary: "Whether the server can answer, and for which store", answer: healthSchema },
  { path: "/api/v1/runs", summary: "All runs, newest first", answer: runListSchema },
  { path: "/api/v1/runs/{id}", summary: "One run", answer: runAnswerSchema },
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
  const paths = routes.map(({ path, summary, query, answer }) => {
    const content =
      answer === undefined
        ? { "text/event-stream": { schema: { type: "string" } } }
        : { "application/json": { schema: jsonSchema(answer) } };
    const responses = {
      200: { description: answer?.description ?? summary, content },
      default: {
        description: "What went wrong",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    };
    return [path, { get: { summary, parameters: [...pathParameters(path), ...queryParameters(query)], responses } }];
  });
  return {
    openapi: "3.1.1",
    info: { title: "Sedge", version, description: "Runs of a Sedge store, and what they measure as they do." },
    paths: Object.fromEntries(paths) as object,
    components: { schemas: Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, jsonSchema(one)])) },
  };
}

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
