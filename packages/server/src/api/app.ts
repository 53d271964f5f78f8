import { Hono, type Context, type Handler } from "hono";
import { stringifyNonFinite } from "../store/non-finite-json.js";
import { StoreError } from "../errors.js";
import type { MetricsQuery, RunMetrics } from "../store/reader.js";
import type { RunStore } from "../store/store.js";
import { version } from "../version.js";
import { answerError, ApiError } from "./errors.js";
import { EventFeed } from "./feed.js";
import { manyMetricsText, metricsText, runMessage } from "./messages.js";
import { openApiDocument } from "./openapi.js";
import { limitBody, parseBody, parseQuery } from "./requests.js";
import {
  manyMetricsQuerySchema,
  metricsQuerySchema,
  tagsSchema,
  type HealthMessage,
  type RunListMessage,
  type RunMessage,
  type TagsMessage,
} from "./schemas.js";
import { loopbackHosts, ownPagesOnly, securityHeaders } from "./security.js";
import { matchesTag, staticFiles } from "./static-files.js";
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
  app.use(securityHeaders());
  app.use(ownPagesOnly(allowedHosts));
  if (token !== undefined) app.use(tokenRequired(token));
  app.onError((error, c) => answerError(error, c, log));
  app.notFound((c) => {
    throw new ApiError(404, "not-found", `There is nothing at ${c.req.path}.`);
  });

  const route = (path: string, handlers: Partial<Record<"GET" | "PUT" | "DELETE", Handler>>) => {
    const methods = Object.keys(handlers);
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, limitBody, handler);
    app.all(path, (c) => {
      c.header("Allow", methods.map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", "));
      const message = `${c.req.method} ${c.req.path}: expected ${methods.join(" or ")}.`;
      throw new ApiError(405, "method-not-allowed", message);
    });
  };
  const get = (path: string, GET: Handler) => route(path, { GET });

  get("/api/v1/health", (c) => {
    const health: HealthMessage = { status: "ok", version, store: store.identity, cursor: store.cursor() };
    c.header("Cache-Control", "no-store");
    return c.json(health);
  });
  get("/api/v1/runs", (c) =>
    answerUnlessKnown(c, store, () => {
      const cursor = store.cursor();
      return stringifyNonFinite({ runs: store.runs().map(runMessage), cursor } satisfies RunListMessage);
    }),
  );
  route("/api/v1/runs/:id", {
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
  route("/api/v1/runs/:id/tags", {
    async PUT(c) {
      const { tags } = await parseBody(c, tagsSchema);
      return c.json({ tags: [...store.setTags(c.req.param("id")!, tags)] } satisfies TagsMessage);
    },
  });
  get("/api/v1/runs/:id/metrics", (c) => {
    const query = parseQuery(c, metricsQuerySchema);
    return answerUnlessKnown(c, store, () => metricsText(store.metrics(c.req.param("id")!, query)));
  });
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

/**
 * An answer is a function of the request and of the store's events, so the number of the last event is its tag: a
 * client that has asked before is told in a few bytes that nothing has changed.
 */
function answerUnlessKnown(c: Context, store: RunStore, answer: () => string): Response {
  // The death of a writer is an event once it has been noticed.
  if (!store.readOnly) store.markInterrupted();
  const tag = `W/"${store.identity.slice(0, 12)}-${store.cursor()}-${version}"`;
  c.header("Cache-Control", "no-cache");
  if (!store.readOnly) {
    c.header("ETag", tag);
    if (matchesTag(c.req.header("if-none-match"), tag)) return c.body(null, 304);
  }
  return c.body(answer(), 200, { "Content-Type": "application/json" });
}

function logToStandardError(error: Error): void {
  console.error(error);
}
