import fc from "fast-check";
import { expect, test } from "vitest";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { createApp } from "./app.js";
import { openApiDocument } from "./openapi.js";

const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, 0, -1, 2 ** 53, "NaN", null));
const scrap = fc.oneof(fc.anything({ maxDepth: 2 }), fc.constantFrom("__proto__", [], {}, "", "a".repeat(300)));
const values = fc.dictionary(fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("loss", "__proto__")), number, {
  maxKeys: 4,
});
const line = fc.oneof(
  fc.record(
    { step: fc.oneof(fc.nat(), number), values, time: number, sequence: fc.oneof(fc.nat({ max: 5 }), number) },
    { requiredKeys: [] },
  ),
  scrap,
);
const gram = fc.oneof(
  fc.array(number, { maxLength: 16 }),
  fc.array(fc.array(number, { maxLength: 4 }), { maxLength: 4 }),
  scrap,
);
const size = fc.oneof(fc.integer({ min: 1, max: 4 }), number);
const probe = fc.record(
  {
    step: fc.oneof(fc.nat(), number),
    kind: fc.constantFrom("ntk", "gradients", "trace", "other"),
    examples: size,
    outputs: size,
    samples: size,
    gram,
    trace: number,
    learningRate: fc.oneof(fc.double({ min: 1e-6, max: 10, noNaN: true }), number),
    batchSize: size,
    population: fc.oneof(fc.integer({ min: 1, max: 100 }), number),
    momentum: fc.oneof(fc.double({ min: 0, max: 0.99, noNaN: true }), number),
    weightDecay: number,
    sampling: fc.constantFrom("bernoulli", "epoch-shuffle", "with-replacement", "?"),
  },
  { requiredKeys: [] },
);
const mlflow = fc.record(
  {
    run_id: fc.constantFrom("victim", "target", "theirs", "nobody", ""),
    key: fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("__proto__", "loss")),
    value: fc.oneof(number, scrap),
    timestamp: fc.oneof(number, fc.constant("1700000000000")),
    step: number,
    metrics: fc.oneof(
      fc.array(fc.record({ key: fc.string(), value: number, timestamp: fc.nat(), step: number })),
      scrap,
    ),
    params: fc.oneof(fc.array(fc.record({ key: fc.string(), value: fc.string() })), scrap),
    tags: fc.oneof(fc.array(fc.record({ key: fc.string(), value: fc.string() })), scrap),
    status: fc.constantFrom("RUNNING", "FINISHED", "?"),
    run_name: fc.string({ maxLength: 5 }),
    filter: fc.oneof(fc.string(), fc.constantFrom("metrics.loss < 1", "params.x LIKE '%%%%%a'", "tags.`")),
    order_by: fc.oneof(fc.array(fc.string()), scrap),
    experiment_ids: fc.oneof(fc.array(fc.string()), fc.constant(["0"])),
    experiment_id: fc.oneof(fc.string(), fc.constant("0")),
    name: fc.string(),
    page_token: fc.string({ maxLength: 3 }),
    max_results: number,
  },
  { requiredKeys: [] },
);
const mlflowMethods = [
  ...[
    "create",
    "get",
    "update",
    "search",
    "log-metric",
    "log-batch",
    "log-parameter",
    "log-model",
    "set-tag",
    "delete-tag",
  ].map((one) => `runs/${one}`),
  ...["create", "get", "get-by-name", "list", "search", "set-experiment-tag"].map((one) => `experiments/${one}`),
  ...["metrics/get-history", "artifacts/list", "logged-models/search", "nothing"],
];
const targets = fc.constantFrom("target", "nobody", "victim", "ended", "..", "%00");
const text = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    return "{"; // what JSON cannot hold: a bigint, a cycle
  }
};

const request = fc.oneof(
  fc.record({
    path: targets.map((run) => `/api/v1/runs/${run}/metrics`),
    body: fc.array(line, { maxLength: 3 }).map((lines) => lines.map(text).join("\n")),
  }),
  fc.record({ path: targets.map((run) => `/api/v1/runs/${run}/probes`), body: probe.map(text) }),
  fc.record({
    path: targets.map((run) => `/api/v1/runs/${run}/finish`),
    body: fc.record({ status: fc.constantFrom("finished?", "x"), step: number }).map(text),
  }),
  fc.record({
    path: fc.oneof(
      fc.constant("/api/v1/runs"),
      targets.map((run) => `/api/v1/runs/${run}/heartbeat`),
    ),
    body: scrap.map(text),
  }),
  fc.record({
    path: fc.constantFrom(...mlflowMethods).map((name) => `/api/2.0/mlflow/${name}`),
    body: fc.oneof(mlflow, scrap).map(text),
  }),
  fc.record({
    path: fc
      .tuple(targets, size, size)
      .map(
        ([run, n, c]) => `/api/v1/runs/${run}/probes?step=1&examples=${n}&outputs=${c}&learningRate=0.1&batchSize=1`,
      ),
    body: fc.uint8Array({ maxLength: 64 }),
    type: fc.constant("application/octet-stream"),
  }),
);

test("no body makes the server fail, nor changes a run that it was not sent for", async () => {
  const store = testStore();
  store.append(runStarted("victim"));
  store.append(metrics("victim", 1, { loss: 0.5 }));
  store.append(runStarted("ended"), { origin: { source: "http", details: {} } });
  store.append(runFinished("ended"));
  store.append(runStarted("theirs"), { origin: { source: "mlflow", details: {} } });
  store.append(runStarted("target"), { origin: { source: "http", details: {} } });
  const before = [store.run("victim"), store.run("ended")];
  const failures: Error[] = [];
  const app = createApp(store, { log: (error) => failures.push(error) });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      const { path, body } = one;
      seen.add(path.replace(/\/runs\/[^/]+/, "/runs/{id}").replace(/\?.*/, ""));
      const type = "type" in one ? one.type : "application/json";
      const response = await app.request(path, { method: "POST", headers: { "content-type": type }, body });
      expect(failures).toEqual([]);
      if (response.status !== 501) expect(response.status).toBeLessThan(500);
      if (response.status >= 400) {
        const error = (await response.json()) as Record<string, unknown>;
        expect([typeof (error.code ?? error.error_code), typeof error.message]).toEqual(["string", "string"]);
      }
    }),
    { numRuns: 600 },
  );
  expect([store.run("victim"), store.run("ended")]).toEqual(before);
  // Every POST that the API describes was among them.
  const described = Object.entries((openApiDocument("0") as { paths: Record<string, object> }).paths);
  for (const [path, methods] of described) if ("post" in methods) expect(seen).toContain(path);
  expect(store.checkIntegrity().problems).toEqual([]);
});
