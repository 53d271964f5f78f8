import { expect, onTestFinished, test } from "vitest";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { SseReader } from "../testing/sse.js";
import { createApp, type AppOptions } from "./app.js";
import { helloSchema, metricsEventSchema, runDeletedEventSchema, runSummarySchema } from "./schemas.js";

function open(store: ReturnType<typeof testStore>, options: AppOptions = {}) {
  const app = createApp(store, options);
  return async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { headers });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const reader = new SseReader(response);
    onTestFinished(() => reader.close());
    return reader;
  };
}

test("without a starting point the stream says where it begins, and brings only what comes after", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  store.append(metrics("a", 1, { loss: 1 }));
  const stream = await open(store)("/api/v1/events");
  const hello = await stream.until(() => stream.messages[0]);
  expect(hello).toEqual({ id: "2", event: "hello", data: { cursor: 2 } });
  helloSchema.parse(hello.data);
  store.append(metrics("a", 2, { loss: NaN }));
  await stream.until(() => stream.of("metrics").length > 0);
  const data = { runId: "a", time: metrics("a", 2, {}).time, step: 2, values: { loss: "NaN" } };
  expect(stream.of("metrics")).toEqual([{ id: "3", event: "metrics", data }]);
  metricsEventSchema.parse(data);
});

test("from any starting point it brings every event once, in order, with nothing before it", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  for (let step = 1; step <= 2500; step++) store.append(metrics("a", step, { loss: step })); // several batches
  store.append(runFinished("a"));
  for (const after of [0, 1, 999, 1000, 2501]) {
    const stream = await open(store)(`/api/v1/events?after=${after}`);
    await stream.until(() => stream.lastEventId === "2502");
    const numbered = stream.messages.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    expect(numbered).toEqual(Array.from({ length: 2502 - after }, (_, i) => after + 1 + i));
    const steps = stream.of("metrics").map(({ data }) => (data as { step: number }).step);
    expect(steps).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1).filter((step) => step + 1 > after));
  }
});

test("Last-Event-ID outranks the address, as when a browser comes back", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  for (let step = 1; step <= 5; step++) store.append(metrics("a", step, { loss: step }));
  const stream = await open(store)("/api/v1/events?after=1", { "Last-Event-ID": "4" });
  await stream.until(() => stream.lastEventId === "6");
  expect(stream.of("metrics").map(({ id }) => id)).toEqual(["5", "6"]);
});

test("a cursor that this store cannot have given makes the client start over", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  const stream = await open(store)("/api/v1/events", { "Last-Event-ID": "99" });
  await stream.until(() => stream.messages.length > 0);
  expect(stream.messages[0]).toEqual({ id: "1", event: "hello", data: { cursor: 1, reset: true } });
});

test("a run's summary comes when it starts, on the way, when it ends, and word when it is deleted", async () => {
  const store = testStore();
  const stream = await open(store)("/api/v1/events");
  await stream.until(() => stream.of("hello").length > 0);
  const summaries = () => stream.of("run").map(({ data }) => runSummarySchema.parse(data));

  store.append(runStarted("a"));
  await stream.until(() => summaries().length === 1);
  expect(summaries()[0]).toMatchObject({ id: "a", status: "running", latest: {} });
  expect(stream.of("run")[0]!.id).toBe("1");

  store.append(metrics("a", 10, { loss: 0.5 }));
  store.append(metrics("a", 11, { sharpness: 9 }));
  await stream.until(() => summaries().at(-1)!.step === 11);
  expect(summaries().at(-1)).toMatchObject({ latest: { loss: 0.5, sharpness: 9 }, verdict: { state: "unknown" } });
  expect(stream.of("run").at(-1)!.id).toBeUndefined(); // a repetition, so no place to resume from

  store.append(runFinished("a"));
  await stream.until(() => summaries().at(-1)!.status === "finished");
  store.deleteRun("a");
  await stream.until(() => stream.of("run-deleted").length > 0);
  expect(runDeletedEventSchema.parse(stream.of("run-deleted")[0]!.data).runId).toBe("a");
  expect(stream.lastEventId).toBe("5");
});

test("progress of a run is told a few times a second at most, whatever it writes", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  const stream = await open(store)("/api/v1/events");
  const start = performance.now();
  for (let step = 1; performance.now() - start < 1000; step++) {
    store.append(metrics("a", step, { loss: step }));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  store.append(runFinished("a"));
  await stream.until(() => stream.of("run").some(({ id }) => id !== undefined));
  // One every 250 ms, so five within a second and one with the end; a slow machine makes it fewer.
  expect(stream.of("run").length).toBeLessThanOrEqual(8);
  expect(stream.of("metrics").length).toBeGreaterThan(8);
});

test("events that are ready together travel together", async () => {
  const store = testStore();
  for (let run = 0; run < 50; run++) store.append(runStarted(`r${run}`));
  const stream = await open(store)("/api/v1/events?after=0");
  await stream.until(() => stream.lastEventId === "50");
  expect(stream.chunks).toBe(2); // the opening, and all runs
});

test("silence is broken by a comment", async () => {
  const stream = await open(testStore(), { heartbeat: 60 })("/api/v1/events");
  await stream.until(() => stream.comments.length >= 2);
  expect(stream.messages.length).toBe(1);
});

test("the server's end ends every stream", async () => {
  const stopping = new AbortController();
  const request = open(testStore(), { signal: stopping.signal });
  const streams = [await request("/api/v1/events"), await request("/api/v1/events?after=0")];
  await streams[0]!.until(() => streams[0]!.messages.length > 0);
  stopping.abort();
  await Promise.all(streams.map(({ ended }) => ended));
});

test("streams are limited in number, and one that ends makes room", async () => {
  const app = createApp(testStore());
  const streams = await Promise.all(Array.from({ length: 256 }, async () => app.request("/api/v1/events")));
  expect((await app.request("/api/v1/events")).status).toBe(503);
  await streams[17]!.body!.cancel();
  const another = await app.request("/api/v1/events");
  expect(another.status).toBe(200);
  for (const { body } of [...streams.filter((_, i) => i !== 17), another]) await body!.cancel();
});

test("asking for the headers alone opens no stream", async () => {
  const app = createApp(testStore());
  for (let i = 0; i < 300; i++) expect((await app.request("/api/v1/events", { method: "HEAD" })).status).toBe(200);
});
