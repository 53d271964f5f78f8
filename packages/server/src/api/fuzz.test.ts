import fc from "fast-check";
import { expect, test } from "vitest";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { createApp } from "./app.js";

const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "v1",
    "runs",
    "metrics",
    "events",
    "tags",
    "health",
    "victim",
    "..",
    "%2e%2e",
    "%00",
    "%zz",
    "",
  ),
  fc.string({ maxLength: 8, unit: "grapheme" }).map(encodeURIComponent),
);
const path = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`),
  fc.constantFrom("/api/v1/runs/victim", "/api/v1/runs/victim/tags", "/api/v1/runs/victim/metrics", "/api/v1/metrics"),
);
const query = fc.array(
  fc.tuple(fc.constantFrom("keys", "afterStep", "points", "runs", "after", "token", "x"), fc.string({ maxLength: 12 })),
  { maxLength: 3 },
);
const request = fc.record({
  method: fc.constantFrom("GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"),
  path,
  query,
  type: fc.constantFrom("application/json", "text/plain", "application/json; charset=utf-16"),
  body: fc.oneof(fc.json(), fc.string({ unit: "binary" }), fc.constant('{"tags":{"length":3}}')),
  lastEventId: fc.option(fc.stringMatching(/^[ -~]{0,20}$/), { nil: undefined }),
});

test("no request makes the server fail, nor changes a run that it does not name rightly", async () => {
  const store = testStore();
  store.append(runStarted("victim"));
  store.append(metrics("victim", 1, { loss: 0.5 }));
  store.append(runStarted("other"));
  store.append(runFinished("other"));
  const before = store.run("other");
  const failures: Error[] = [];
  const app = createApp(store, { log: (error) => failures.push(error) });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, type, body, lastEventId }) => {
      const url = `http://localhost${path}?${new URLSearchParams(query).toString()}`;
      const headers: Record<string, string> = { "content-type": type };
      if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
      const bodied = !["GET", "HEAD", "OPTIONS"].includes(method);
      const response = await app.request(url, { method, headers, ...(bodied ? { body } : {}) });
      expect(failures).toEqual([]);
      expect(response.status).toBeLessThan(500);
      if (response.status >= 400 && method !== "HEAD") {
        const error = (await response.json()) as { code: unknown; message: unknown };
        expect([typeof error.code, typeof error.message]).toEqual(["string", "string"]);
      } else await response.body?.cancel();
    }),
    { numRuns: 1500 },
  );
  expect(store.run("other")).toEqual(before);
  expect(store.run("victim").latest).toEqual({ loss: 0.5 });
  expect(store.checkIntegrity().problems).toEqual([]);
});
