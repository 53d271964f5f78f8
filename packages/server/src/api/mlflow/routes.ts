import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import type { z } from "zod";
import { parseAs, parseLenientJson } from "../../ingest/lenient-json.js";
import type { RemoteRuns } from "../../ingest/remote-runs.js";
import { stringifyNonFinite } from "../../store/non-finite-json.js";
import type { RunStore } from "../../store/store.js";
import { limitBody } from "../requests.js";
import { answerMlflowError, MlflowError } from "./errors.js";
import { experimentMethods } from "./experiments.js";
import { runMethods } from "./runs.js";
import { searchMethods } from "./search-runs.js";

/** A method of MLflow's service: the HTTP method, the schema of the request, and what answers it. */
export interface MlflowMethod<S extends z.ZodType = z.ZodType> {
  readonly http: "GET" | "POST";
  readonly schema: S;
  readonly answer: (request: z.output<S>) => object | Promise<object>;
}

export interface MlflowContext {
  readonly store: RunStore;
  readonly runs: RemoteRuns;
  /** 32 hexadecimal digits, as MLflow's own. */
  readonly newRunId: () => string;
}

export const method = <S extends z.ZodType>(
  http: "GET" | "POST",
  schema: S,
  answer: (request: z.output<S>) => object | Promise<object>,
): MlflowMethod => ({ http, schema, answer: answer as MlflowMethod["answer"] });

const largestBody = 4 * 2 ** 20;

/**
 * As much of MLflow's tracking API, https://mlflow.org/docs/latest/rest-api.html, as its clients need to log a run:
 * `MLFLOW_TRACKING_URI=http://127.0.0.1:4060`. What is not here is refused by name, never dropped.
 */
export function mlflowRoutes(app: Hono, store: RunStore, runs: RemoteRuns, log: (error: Error) => void): void {
  const context: MlflowContext = { store, runs, newRunId: () => randomUUID().replaceAll("-", "") };
  const methods: Readonly<Record<string, MlflowMethod>> = {
    ...experimentMethods(context),
    ...runMethods(context),
    ...searchMethods(context),
  };
  const limit = limitBody(largestBody);
  for (const prefix of ["/api/2.0/mlflow", "/api/2.0/preview/mlflow"]) {
    app.all(`${prefix}/*`, limit, async (c) => {
      try {
        return await answer(c, methods, new URL(c.req.url).pathname.slice(prefix.length + 1));
      } catch (error) {
        return answerMlflowError(error, c, log);
      }
    });
  }
  app.all("/api/2.0/mlflow-artifacts/*", (c) => answerMlflowError(noArtifacts(), c, log));
  app.all("/api/3.0/*", (c) => answerMlflowError(notHere(c.req.path), c, log));
}

async function answer(c: Context, methods: Readonly<Record<string, MlflowMethod>>, name: string): Promise<Response> {
  const found = Object.hasOwn(methods, name) ? methods[name]! : undefined;
  if (found === undefined || found.http !== (c.req.method === "HEAD" ? "GET" : c.req.method)) throw notHere(c.req.path);
  const { schema, http } = found;
  const request = http === "GET" ? c.req.query() : parseLenientJson((await c.req.text()) || "{}");
  const message = await found.answer(parseAs(schema, request));
  return c.body(stringifyNonFinite(message), 200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
}

const notHere = (path: string) =>
  new MlflowError(
    "ENDPOINT_NOT_FOUND",
    `${path}: Sedge has experiments, runs, metrics, params and tags of MLflow's API only.`,
  );

export const noArtifacts = () =>
  new MlflowError(
    "NOT_IMPLEMENTED",
    "Sedge keeps no MLflow artifacts: log them elsewhere, or PUT them to /api/v1/runs/ID/artifacts/NAME.",
  );
