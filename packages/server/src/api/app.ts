import { Hono, type Handler } from "hono";
import { stringifyNonFinite } from "../store/non-finite-json.js";
import { StoreError } from "../errors.js";
import type { MetricsQuery, RunMetrics } from "../store/reader.js";
import type { RunStore } from "../store/store.js";
import { version } from "../version.js";
import { ProbeAnalyst, type AnalystOptions } from "../ingest/probe/analyst.js";
import { RemoteRuns } from "../ingest/remote-runs.js";
import { answerError, ApiError } from "./errors.js";
import { EventFeed } from "./feed.js";
import { manyMetricsText, runMessage } from "./messages.js";
import { openApiDocument } from "./openapi.js";
import { createRun, ingestRoutes } from "./ingest-routes.js";
import { answerMlflowError, isMlflow } from "./mlflow/errors.js";
import { mlflowRoutes } from "./mlflow/routes.js";
import { defaultRateLimit, guessesLimited, rateLimited, type RateLimit } from "./rate-limit.js";
import { recordRoutes } from "./record-routes.js";
import { parseBody, parseQuery } from "./requests.js";
import { answerUnlessKnown, route } from "./routes.js";
import {
  manyMetricsQuerySchema,
  tagsSchema,
  type HealthMessage,
  type RunListMessage,
  type RunMessage,
  type TagsMessage,
} from "./schemas.js";
import { loopbackHosts, ownPagesOnly, securityHeaders } from "./security.js";
import { staticFiles } from "./static-files.js";
import { eventStream } from "./stream.js";
import { tokenRequired } from "./token.js";

export interface AppOptions {
  /** Folder of the built dashboard. Without it there is only the API. */
  readonly webRoot?: string;
  /** Host names by which the server may be addressed. Default: those of this machine's loopback. */
  readonly allowedHosts?: readonly string[];
  /** Wanted of every request, where given. Then any host name is good, unless `allowedHosts` says which. */
  readonly token?: string;
  /** Ends the open streams. */
  readonly signal?: AbortSignal;
  /** Milliseconds of silence after which a stream sends a comment. Default 15 000. */
  readonly heartbeat?: number;
  /** Requests that one address may make. Default 5000 a second. */
  readonly rateLimit?: RateLimit;
  /** The thread that analyses probes. */
  readonly analyst?: AnalystOptions;
  /** Told of failures that are nobody's request's fault. Default: standard error. */
  readonly log?: (error: Error) => void;
}

/**
 * The HTTP API of a store, and the dashboard, as a Hono app: `app.request("/api/v1/runs")` needs no socket.
 * Messages are described in `schemas.ts`.
 */
export function createApp(store: RunStore, options: AppOptions = {}): Hono {
  const { webRoot, token, heartbeat = 15_000, log = logToStandardError } = options;
  const allowedHosts = options.allowedHosts ?? (token === undefined ? loopbackHosts : null);
  const signal = options.signal ?? new AbortController().signal;
  const app = new Hono();
  const runs = new RemoteRuns(store);
  const analyst = new ProbeAnalyst(options.analyst);
  signal.addEventListener("abort", () => {
    runs.close();
    void analyst.close();
  });
  app.use(securityHeaders());
  app.use(ownPagesOnly(allowedHosts));
  app.use(rateLimited(options.rateLimit ?? defaultRateLimit));
  if (token !== undefined) app.use(guessesLimited(), tokenRequired(token));
  app.onError((error, c) => (isMlflow(c.req.path) ? answerMlflowError : answerError)(error, c, log));
  app.notFound((c) => {
    throw new ApiError(404, "not-found", `There is nothing at ${c.req.path}.`);
  });

  const get = (path: string, GET: Handler) => route(app, path, { GET });

  get("/api/v1/health", (c) => {
    const health: HealthMessage = { status: "ok", version, store: store.identity, cursor: store.cursor() };
    c.header("Cache-Control", "no-store");
    return c.json(health);
  });
  route(app, "/api/v1/runs", {
    GET: (c) =>
      answerUnlessKnown(c, store, () => {
        const cursor = store.cursor();
        return stringifyNonFinite({ runs: store.runs().map(runMessage), cursor } satisfies RunListMessage);
      }),
    POST: createRun(store, runs),
  });
  route(app, "/api/v1/runs/:id", {
    GET: (c) =>
      answerUnlessKnown(c, store, () =>
        stringifyNonFinite({ run: runMessage(store.run(c.req.param("id")!)) } satisfies RunMessage),
      ),
    DELETE(c) {
      // By the whole id only: what is deleted should have been meant.
      const { id } = store.run(c.req.param("id")!);
      if (id !== c.req.param("id"))
        throw new ApiError(404, "unknown-run", `run ${c.req.param("id")!}: no run has this id.`);
      store.deleteRun(id);
      return c.body(null, 204);
    },
  });
  route(app, "/api/v1/runs/:id/tags", {
    async PUT(c) {
      const { tags } = await parseBody(c, tagsSchema);
      return c.json({ tags: [...store.setTags(c.req.param("id")!, tags)] } satisfies TagsMessage);
    },
  });
  ingestRoutes(app, store, runs, analyst);
  recordRoutes(app, store);
  mlflowRoutes(app, store, runs);
  get("/api/v1/metrics", (c) => {
    const { runs, ...query } = parseQuery(c, manyMetricsQuerySchema);
    return answerUnlessKnown(c, store, () => manyMetricsText(metricsOfExisting(store, runs, query)));
  });
  get("/api/v1/openapi.json", (c) => c.json(openApiDocument(version)));
  get("/api/v1/events", eventStream(new EventFeed(store), { heartbeat, signal }));
  app.all("/api/*", (c) => c.notFound());
  if (webRoot !== undefined) get("/*", staticFiles(webRoot));
  return app;
}

/** Between listing runs and asking for their metrics somebody may delete one; that is no reason to refuse the rest. */
function metricsOfExisting(store: RunStore, runs: readonly string[], query: MetricsQuery): RunMetrics[] {
  return runs.flatMap((run) => {
    try {
      return store.metrics(run, query);
    } catch (error) {
      if (error instanceof StoreError && error.code === "unknown-run") return [];
      throw error;
    }
  });
}

function logToStandardError(error: Error): void {
  console.error(error);
}
