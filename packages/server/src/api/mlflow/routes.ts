import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import { parseAs, parseLenientJson } from "../../ingest/lenient-json.js";
import type { RemoteRuns } from "../../ingest/remote-runs.js";
import { stringifyNonFinite } from "../../store/non-finite-json.js";
import type { RunStore } from "../../store/store.js";
import { limitBody } from "../requests.js";
import { artifactRoutes } from "./artifacts.js";
import { MlflowError } from "./errors.js";
import { experimentMethods } from "./experiments.js";
import type { MlflowContext, MlflowMethod } from "./method.js";
import { runMethods } from "./runs.js";
import { searchMethods } from "./search-runs.js";

const largestBody = 4 * 2 ** 20;

/**
 * As much of MLflow's tracking API, https://mlflow.org/docs/latest/rest-api.html, as its clients need to log a run:
 * `MLFLOW_TRACKING_URI=http://127.0.0.1:4060`. What is not here is refused by name, never dropped.
 */
export function mlflowRoutes(app: Hono, store: RunStore, runs: RemoteRuns): void {
  const context: MlflowContext = { store, runs, newRunId: () => randomUUID().replaceAll("-", "") };
  const methods: Readonly<Record<string, MlflowMethod>> = {
    ...experimentMethods(context),
    ...runMethods(context),
    ...searchMethods(context),
  };
  const limit = limitBody(largestBody);
  for (const prefix of ["/api/2.0/mlflow", "/api/2.0/preview/mlflow"]) {
    app.all(`${prefix}/*`, limit, async (c) => {
      return answer(c, methods, new URL(c.req.url).pathname.slice(prefix.length + 1));
    });
  }
  artifactRoutes(app, store);
  app.all("/api/3.0/*", (c) => {
    throw notHere(c.req.path);
  });
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
    `${path}: Sedge has experiments, runs, metrics, params, tags and artifacts of MLflow's API only.`,
  );
