import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { metrics, runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import type { RunStore } from "../store/store.js";
import { createApp } from "./app.js";
import {
  errorSchema,
  healthSchema,
  manyMetricsSchema,
  runAnswerSchema,
  runListSchema,
  runMetricsSchema,
  tagsSchema,
} from "./schemas.js";

/** A message, checked against the schema that is its description to clients: nothing missing, nothing more. */
async function read<T extends z.ZodType>(response: Response, schema: T): Promise<z.output<T>> {
  expect(response.headers.get("content-type")).toBe("application/json");
  const message: unknown = await response.json();
  const parsed = schema.parse(message);
  expect(parsed).toEqual(message); // parsing drops what the schema does not have
  return parsed;
}

function storeWithRun() {
  const store = testStore();
  store.append(runStarted("abc"));
  store.append(metrics("abc", 1, { "loss/train": 0.5, "noiseKernel/exact": Infinity, "edge/deterministic": 1.01 }));
  store.append(metrics("abc", 2, { "loss/train": NaN }));
  return store;
}

test("health says which store it is and how far it has come", async () => {
  const store = storeWithRun();
  const health = await read(await createApp(store).request("/api/v1/health"), healthSchema);
  expect(health).toEqual({ status: "ok", version: "0.1.0", store: store.identity, cursor: 3 });
});

test("runs are listed newest first, with their newest values, their verdict and the store's cursor", async () => {
  const store = storeWithRun();
  store.append(runStarted("xyz"));
  const { runs, cursor } = await read(await createApp(store).request("/api/v1/runs"), runListSchema);
  expect(runs.map(({ id, cursor }) => [id, cursor])).toEqual([
    ["xyz", 4],
    ["abc", 3],
  ]);
  expect(cursor).toBe(4);
  expect(runs[1]!.latest).toEqual({ "loss/train": "NaN", "noiseKernel/exact": "Infinity", "edge/deterministic": 1.01 });
  expect(runs[1]!.verdict).toMatchObject({ state: "at-edge", binding: "deterministic" });
  expect(runs[0]!.verdict).toMatchObject({ state: "unknown", binding: null });
});

test("a run is found by the beginning of its id", async () => {
  const app = createApp(storeWithRun());
  const { run } = await read(await app.request("/api/v1/runs/ab"), runAnswerSchema);
  expect(run).toMatchObject({ id: "abc", status: "running", step: 2, steps: 1000 });
});

test("metrics travel exactly, the numbers JSON does not have as strings", async () => {
  const store = testStore();
  const values = [1 / 3, NaN, -Infinity, 5e-324, Infinity, -1.7976931348623157e308];
  store.append(runStarted("a"));
  values.forEach((value, step) => store.append(metrics("a", step, { "x,y": value, plain: step })));
  const app = createApp(store);
  const all = await read(await app.request("/api/v1/runs/a/metrics"), runMetricsSchema);
  expect(all).toMatchObject({ runId: "a", cursor: 7 });
  expect(all.series["x,y"]!.values).toEqual([1 / 3, "NaN", "-Infinity", 5e-324, "Infinity", -1.7976931348623157e308]);
  expect(all.series["x,y"]!.values.map(Number)).toEqual(values);
  expect(all.series.plain!.times).toEqual(values.map((_, step) => metrics("a", step, {}).time));

  const some = await read(await app.request("/api/v1/runs/a/metrics?keys=plain,unknown&afterStep=3"), runMetricsSchema);
  expect(some.series).toEqual({ plain: { steps: [4, 5], times: expect.any(Array) as [], values: [4, 5] } });
});

test("metrics of many runs come in one answer, without those that are gone", async () => {
  const store = testStore();
  for (const id of ["a", "b", "c"]) {
    store.append(runStarted(id));
    for (let step = 0; step < 1000; step++) store.append(metrics(id, step, { x: Math.sin(step), y: 1 }));
    store.append(runFinished(id));
  }
  const app = createApp(store);
  const path = "/api/v1/metrics?runs=a,gone,c&keys=x&afterStep=1&points=20";
  const { runs } = await read(await app.request(path), manyMetricsSchema);
  expect(Object.keys(runs)).toEqual(["a", "c"]);
  expect(Object.keys(runs.c!.series)).toEqual(["x"]);
  const { steps } = runs.c!.series.x!;
  expect([steps.length, steps[0], steps.at(-1)]).toEqual([20, 2, 999]);

  const one = await read(await app.request("/api/v1/runs/c/metrics?keys=x&afterStep=1&points=20"), runMetricsSchema);
  expect(one.series).toEqual(runs.c!.series);
});

test("metrics that were recorded together, and apart, keep their own steps and times", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  store.append(metrics("a", 1, { x: 1, y: 1, z: 1 }));
  store.append({ ...metrics("a", 2, { x: 2, y: 2 }), time: 7.5 });
  store.append(metrics("a", 3, { z: 3, y: 3 }));
  const { series } = await read(await createApp(store).request("/api/v1/runs/a/metrics"), runMetricsSchema);
  const time = (step: number) => (step === 2 ? 7.5 : metrics("a", step, {}).time);
  const expected = (steps: number[]) => ({ steps, times: steps.map(time), values: steps });
  expect(series).toEqual({ x: expected([1, 2]), y: expected([1, 2, 3]), z: { ...expected([1, 3]) } });
});

test("a client that knows the newest is told so in a few bytes, until something happens", async () => {
  const store = storeWithRun();
  const app = createApp(store);
  for (const path of ["/api/v1/runs", "/api/v1/runs/abc", "/api/v1/runs/abc/metrics"]) {
    const first = await app.request(path);
    const tag = first.headers.get("etag")!;
    const again = await app.request(path, { headers: { "If-None-Match": tag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    store.append(metrics("abc", 3, { "loss/train": 1 }));
    expect((await app.request(path, { headers: { "If-None-Match": tag } })).status).toBe(200);
  }
});

describe("errors are { code, message, path? }", () => {
  test.each([
    ["/api/v1/runs/nobody", 404, { code: "unknown-run" }],
    ["/api/v1/runs/nobody/metrics", 404, { code: "unknown-run" }],
    ["/api/v1/runs/abc/metrics?afterStep=x", 400, { code: "bad-request", path: "afterStep" }],
    ["/api/v1/runs/abc/metrics?step=3", 400, { code: "bad-request", path: "step" }],
    ["/api/v1/runs/abc/metrics?points=7", 400, { code: "bad-request", path: "points" }],
    ["/api/v1/metrics", 400, { code: "bad-request", path: "runs" }],
    ["/api/v1/events?after=-1", 400, { code: "bad-request", path: "after" }],
    ["/api/v1/nothing", 404, { code: "not-found" }],
    ["/api/v2/runs", 404, { code: "not-found" }],
    ["/", 404, { code: "not-found" }],
  ])("%s", async (path, status, expected) => {
    const response = await createApp(storeWithRun()).request(path);
    expect(response.status).toBe(status);
    expect(await read(response, errorSchema)).toMatchObject(expected);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("a wrong Last-Event-ID", async () => {
    const response = await createApp(storeWithRun()).request("/api/v1/events", {
      headers: { "Last-Event-ID": "7; DROP" },
    });
    expect(response.status).toBe(400);
    expect(await read(response, errorSchema)).toMatchObject({ code: "bad-request", path: "Last-Event-ID" });
  });

  test("the message names the value and what is allowed", async () => {
    const response = await createApp(storeWithRun()).request("/api/v1/runs/abc/metrics?afterStep=2.5");
    expect((await read(response, errorSchema)).message).toBe(
      'afterStep: Invalid input: expected int, received number, got "2.5"',
    );
  });

  test("a prefix of several runs", async () => {
    const store = storeWithRun();
    store.append(runStarted("abd"));
    const response = await createApp(store).request("/api/v1/runs/ab");
    expect(response.status).toBe(400);
    expect((await read(response, errorSchema)).code).toBe("ambiguous-run");
  });

  test("a method that is not possible", async () => {
    const response = await createApp(storeWithRun()).request("/api/v1/metrics", { method: "POST", body: "{}" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect((await read(response, errorSchema)).code).toBe("method-not-allowed");
  });

  test("a failure of ours is logged and not shown", async () => {
    const store = testStore(temporaryFolder());
    const logged: Error[] = [];
    const broken = {
      ...store,
      readOnly: true,
      cursor: () => 0,
      runs: () => {
        throw new Error("secret detail");
      },
    };
    const response = await createApp(broken, { log: (error) => logged.push(error) }).request("/api/v1/runs");
    expect(response.status).toBe(500);
    expect(await read(response, errorSchema)).toEqual({
      code: "internal",
      message: "The server failed at this request. Its log says why.",
    });
    expect(logged.map(({ message }) => message)).toEqual(["secret detail"]);
  });
});

describe("changing runs", () => {
  const put = (store: RunStore, run: string, body: unknown, headers: Record<string, string> = {}) =>
    createApp(store).request(`/api/v1/runs/${run}/tags`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  test("tags are set as a whole, and come back each once and in order", async () => {
    const store = storeWithRun();
    const answer = await read(await put(store, "abc", { tags: ["paper", "best of 3", "paper"] }), tagsSchema);
    expect(answer).toEqual({ tags: ["best of 3", "paper"] });
    const { runs } = await read(await createApp(store).request("/api/v1/runs"), runListSchema);
    expect(runs[0]!.tags).toEqual(["best of 3", "paper"]);
    await put(store, "ab", { tags: [] });
    expect(store.run("abc").tags).toEqual([]);
  });

  test.each([
    ["no JSON", "{", 400, { code: "bad-request" }],
    ["another shape", { tags: "paper" }, 400, { code: "bad-request", path: "tags" }],
    ["a number among the tags", { tags: ["a", 1] }, 400, { code: "bad-request", path: "tags.1" }],
    ["an unknown field", { tags: [], tag: "a" }, 400, { code: "bad-request", path: "tag" }],
    ["a tag with a comma", { tags: ["a,b"] }, 400, { code: "bad-event" }],
    ["an empty tag", { tags: [""] }, 400, { code: "bad-event" }],
    ["too large a body", { tags: ["x".repeat(70_000)] }, 413, { code: "too-large" }],
  ])("%s is refused and changes nothing", async (_what, body, status, expected) => {
    const store = storeWithRun();
    const response = await put(store, "abc", body);
    expect(response.status).toBe(status);
    expect(await read(response, errorSchema)).toMatchObject(expected);
    expect(store.cursor()).toBe(3);
  });

  test("a body that does not say it is JSON, as a form of another site would send, is refused", async () => {
    const response = await put(storeWithRun(), "abc", { tags: [] }, { "content-type": "text/plain" });
    expect(response.status).toBe(415);
  });

  test("a run is deleted by its whole id, once it has ended", async () => {
    const store = storeWithRun();
    const remove = (id: string) => createApp(store).request(`/api/v1/runs/${id}`, { method: "DELETE" });
    expect((await remove("abc")).status).toBe(409); // being written
    store.append(runFinished("abc"));
    expect((await remove("ab")).status).toBe(404);
    expect((await remove("abc")).status).toBe(204);
    expect((await remove("abc")).status).toBe(404);
    expect(store.runs()).toEqual([]);
  });

  test("a store that is open for reading is not changed", async () => {
    const folder = temporaryFolder();
    const writer = testStore(folder);
    writer.append(runStarted("abc"));
    writer.append(runFinished("abc"));
    const store = testStore(folder, { readOnly: true });
    expect((await put(store, "abc", { tags: ["a"] })).status).toBe(403);
    expect((await createApp(store).request("/api/v1/runs/abc", { method: "DELETE" })).status).toBe(403);
    expect(writer.run("abc").tags).toEqual([]);
  });
});

test("a run that nobody writes any more is shown as it ended", async () => {
  const store = storeWithRun();
  store.append(runFinished("abc", { status: "diverged", step: 3, message: "loss is not finite" }));
  const { run } = await read(await createApp(store).request("/api/v1/runs/abc"), runAnswerSchema);
  expect(run).toMatchObject({ status: "diverged", message: "loss is not finite", verdict: { state: "diverged" } });
});
