import type { Handler, Hono } from "hono";
import { parseAs, parseLenientJson } from "../ingest/lenient-json.js";
import { parseMetricLines } from "../ingest/metric-lines.js";
import type { ProbeAnalyst } from "../ingest/probe/analyst.js";
import { largestProbeBody } from "../ingest/probe/probe-request.js";
import { recordProbe } from "../ingest/probe/record-probe.js";
import type { RemoteRuns } from "../ingest/remote-runs.js";
import { stringifyNonFinite } from "../store/non-finite-json.js";
import type { RunStore } from "../store/store.js";
import { finishRunSchema, metricsPostQuerySchema, newRunSchema, type MetricsTakenMessage } from "./ingest-schemas.js";
import { metricsText, runMessage } from "./messages.js";
import { parseQuery, requireType } from "./requests.js";
import { answerUnlessKnown, route } from "./routes.js";
import { recordsQuerySchema } from "./record-schemas.js";
import { metricsQuerySchema, type RunMessage } from "./schemas.js";

const largestMetricsBody = 4 * 2 ** 20;
const jsonAnswer = { "Content-Type": "application/json", "Cache-Control": "no-store" };

/** `POST /api/v1/runs`: starts a run whose trainer is elsewhere. */
export function createRun(store: RunStore, runs: RemoteRuns): Handler {
  return async (c) => {
    requireType(c, ["application/json"]);
    const { id, name, config, steps, model, tags, time, silence } = parseAs(
      newRunSchema,
      parseLenientJson(await c.req.text()),
    );
    const details = silence === undefined ? {} : { silence };
    const started = { runId: id, time: time ?? Date.now(), config, steps, model };
    const { runId, created } = runs.start({ ...started, name: name ?? id ?? "run" }, { source: "http", details });
    if (created && tags !== undefined) store.setTags(runId, tags);
    const answer: RunMessage = { run: runMessage(store.run(runId)) };
    return c.body(stringifyNonFinite(answer), created ? 201 : 200, jsonAnswer);
  };
}

/** What trainers elsewhere send about a run. The run is meant by its whole id. */
export function ingestRoutes(app: Hono, store: RunStore, runs: RemoteRuns, analyst: ProbeAnalyst): void {
  route(
    app,
    "/api/v1/runs/:id/metrics",
    {
      GET: (c) => {
        const query = parseQuery(c, metricsQuerySchema);
        return answerUnlessKnown(c, store, () => metricsText(store.metrics(c.req.param("id")!, query)));
      },
      async POST(c) {
        requireType(c, ["application/x-ndjson", "application/jsonl", "application/json"]);
        const { sender } = parseQuery(c, metricsPostQuerySchema);
        const lines = parseMetricLines(await c.req.text(), Date.now());
        const taken: MetricsTakenMessage = await runs.record(c.req.param("id")!, lines, sender);
        return c.body(JSON.stringify(taken), 200, jsonAnswer);
      },
    },
    largestMetricsBody,
  );
  route(app, "/api/v1/runs/:id/heartbeat", {
    POST(c) {
      runs.heard(c.req.param("id")!);
      return c.body(null, 204);
    },
  });
  route(app, "/api/v1/runs/:id/finish", {
    async POST(c) {
      requireType(c, ["application/json"]);
      const { time = Date.now(), ...end } = parseAs(finishRunSchema, parseLenientJson(await c.req.text()));
      runs.finish(c.req.param("id")!, { time, ...end });
      const answer: RunMessage = { run: runMessage(store.run(c.req.param("id")!)) };
      return c.body(stringifyNonFinite(answer), 200, jsonAnswer);
    },
  });
  route(
    app,
    "/api/v1/runs/:id/probes",
    {
      GET: (c) => {
        const query = parseQuery(c, recordsQuerySchema);
        return answerUnlessKnown(c, store, () =>
          stringifyNonFinite({ probes: store.probes(c.req.param("id")!, query) }),
        );
      },
      async POST(c) {
        const type = requireType(c, ["application/json", "application/octet-stream"]);
        const bytes = new Uint8Array(await c.req.arrayBuffer());
        const query = type === "application/json" ? null : c.req.query();
        const { analysis, ...place } = await recordProbe({ store, runs, analyst }, c.req.param("id")!, {
          bytes,
          query,
        });
        // The spectrum is long, and has a route of its own.
        return c.body(stringifyNonFinite({ ...place, ...analysis, spectrum: undefined }), 201, jsonAnswer);
      },
    },
    largestProbeBody,
  );
}
