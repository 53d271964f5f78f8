import { expect, onTestFinished, test, vi } from "vitest";
import { StoreError } from "../errors.js";
import { RemoteRuns } from "../ingest/remote-runs.js";
import { runFinished, runStarted, testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { createApp } from "./app.js";

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

function client(store = testStore()) {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const app = createApp(store, { signal: stopping.signal });
  const post = async (path: string, body?: unknown, type = "application/json"): Promise<Answer> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init = body === undefined ? {} : { headers: { "content-type": type }, body: text };
    const response = await app.request(`/api/v1/${path}`, { method: "POST", ...init });
    const answer = await response.text();
    return { status: response.status, body: answer === "" ? {} : (JSON.parse(answer) as Answer["body"]) };
  };
  const lines = (run: string, ...records: object[]) =>
    post(`runs/${run}/metrics`, records.map((one) => JSON.stringify(one)).join("\n"), "application/x-ndjson");
  return { store, app, post, lines };
}

test("a run is started, measured and ended over HTTP, and reads like any other", async () => {
  const { store, post, lines } = client();
  const model = { paramCount: 7, description: "mine" };
  const created = await post("runs", { name: "far", config: { learningRate: 0.1 }, steps: 9, model, tags: ["torch"] });
  expect(created).toMatchObject({
    status: 201,
    body: { run: { name: "far", status: "running", tags: ["torch"], model } },
  });
  const { id } = created.body.run as { id: string };
  const taken = await lines(
    id,
    { step: 1, values: { loss: 1 } },
    { step: 2, time: 5, values: { loss: 0.5, K: "Infinity" } },
  );
  expect(taken).toEqual({ status: 200, body: { accepted: 2, duplicates: 0, next: 1 } });
  expect((await post(`runs/${id}/heartbeat`)).status).toBe(204);
  const ended = await post(`runs/${id}/finish`, { status: "diverged", message: "loss is not finite" });
  expect(ended).toMatchObject({
    status: 200,
    body: { run: { status: "diverged", step: 2, message: "loss is not finite" } },
  });
  expect(store.metrics(id).series.K).toEqual({
    steps: Float64Array.of(2),
    times: Float64Array.of(5),
    values: Float64Array.of(Infinity),
  });
  // The answer may have been lost: the end may be told again. But nothing can be added.
  expect((await post(`runs/${id}/finish`, { status: "diverged" })).status).toBe(200);
  expect(await lines(id, { step: 3, values: {} })).toMatchObject({ status: 409, body: { code: "run-ended" } });
});

test("numbers that JSON does not have are taken as strings, as null and bare, as Python writes them", async () => {
  const { store, post, lines } = client();
  await post("runs", { id: "a" });
  await lines("a", { step: 1, values: { x: "NaN", y: null, z: "-Infinity" } });
  const python = '{"step": 2, "values": {"x": NaN, "y": Infinity, "z": -Infinity, "Infinity \\" NaN": 1}}';
  expect((await post("runs/a/metrics", python, "application/x-ndjson")).status).toBe(200);
  const { series } = store.metrics("a");
  const values = (key: string) => [...series[key]!.values];
  expect([values("x"), values("y"), values("z")]).toEqual([
    [NaN, NaN],
    [NaN, Infinity],
    [-Infinity, -Infinity],
  ]);
  expect(values('Infinity " NaN')).toEqual([1]);
});

test("lines that are numbered are stored once, however often they are sent, and across a restart of the server", async () => {
  const folder = temporaryFolder();
  const first = client(testStore(folder));
  await first.post("runs", { id: "a", time: 5000 });
  const batch = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => ({
      sequence: from + i,
      step: from + i,
      values: { loss: from + i },
    }));
  expect((await first.lines("a", ...batch(1, 3))).body).toEqual({ accepted: 3, duplicates: 0, next: 4 });
  expect((await first.lines("a", ...batch(1, 5))).body).toEqual({ accepted: 2, duplicates: 3, next: 6 });
  first.store.close();

  const second = client(testStore(folder));
  expect(second.store.run("a").status).toBe("interrupted");
  expect((await second.lines("a", ...batch(4, 7))).body).toEqual({ accepted: 2, duplicates: 2, next: 8 });
  expect(second.store.run("a")).toMatchObject({ status: "running", startedAt: 5000, step: 7 });
  expect(second.store.eventsAfter(0).filter(({ event }) => event.type === "metrics")).toHaveLength(7);

  // A gap means that a post is missing: refused whole, so that nothing is lost unseen.
  const gap = await second.lines("a", { sequence: 8, step: 8, values: {} }, { sequence: 10, step: 10, values: {} });
  expect(gap).toMatchObject({ status: 409, body: { code: "sequence-gap", path: "line 2: sequence" } });
  expect(gap.body.message).toContain("expected 9, got 10");
  expect(second.store.run("a").step).toBe(7);
  const other = await second.post("runs/a/metrics?sender=rank1", { sequence: 1, step: 1, values: { x: 1 } });
  expect(other.body).toEqual({ accepted: 1, duplicates: 0, next: 2 });
});

test("creating a run again under its id finds it; that of another is not taken", async () => {
  const { store, post } = client();
  store.append(runStarted("local"));
  expect((await post("runs", { id: "a", name: "mine" })).status).toBe(201);
  expect(await post("runs", { id: "a", name: "mine" })).toMatchObject({ status: 200, body: { run: { id: "a" } } });
  expect(await post("runs", { id: "local" })).toMatchObject({ status: 409, body: { code: "run-exists" } });
  expect(store.runs()).toHaveLength(2);
});

test("a run of Sedge's own trainer cannot be added to from outside, nor changed", async () => {
  const { store, post, lines } = client();
  store.append(runStarted("local"));
  const before = store.run("local");
  expect(await lines("local", { step: 1, values: { x: 1 } })).toMatchObject({
    status: 409,
    body: { code: "run-foreign" },
  });
  expect(await post("runs/local/finish", {})).toMatchObject({ status: 409, body: { code: "run-foreign" } });
  expect(store.run("local")).toEqual(before);
});

test("a silent trainer's run is interrupted, and goes on when it sends again", async () => {
  const store = testStore();
  const runs = new RemoteRuns(store);
  onTestFinished(() => runs.close());
  const model = { paramCount: 0, description: "" };
  const origin = { source: "http", details: { silence: 0.05 } } as const;
  runs.start({ runId: "a", name: "a", time: Date.now(), steps: 0, config: {}, model }, origin);
  await runs.record("a", [{ step: 4, time: Date.now(), values: { loss: 1 } }]);
  await vi.waitFor(() => {
    runs.interruptSilent();
    expect(store.run("a")).toMatchObject({ status: "interrupted", step: 4 });
  });
  expect(store.run("a").message).toContain("has not been heard of for 0.05 s");
  await runs.record("a", [{ step: 5, time: Date.now(), values: { loss: 1 } }]);
  expect(store.run("a")).toMatchObject({ status: "running", step: 5, message: null });
});

test.each([
  ["no JSON", "runs/a/metrics", "{", 400, "bad-request", "line 1"],
  ["a step below 0", "runs/a/metrics", '{"step":-1,"values":{}}', 400, "bad-request", "line 1: step"],
  ["text as a value", "runs/a/metrics", '{"step":1,"values":{"x":"1"}}', 400, "bad-request", "line 1: values.x"],
  ["a field too many", "runs/a/metrics", '{"step":1,"values":{},"stpe":1}', 400, "bad-request", "line 1: stpe"],
  ["a good line, then a bad one", "runs/a/metrics", '{"step":1,"values":{}}\n7', 400, "bad-request", "line 2"],
  ["a clock far ahead", "runs/a/metrics", `{"step":1,"time":9e15,"values":{}}`, 400, "clock-skew", "line 1: time"],
  ["an unknown run", "runs/b/metrics", '{"step":1,"values":{}}', 404, "unknown-run", undefined],
  ["the beginning of an id", "runs/long/metrics", '{"step":1,"values":{}}', 404, "unknown-run", undefined],
  ["an id that is none", "runs", '{"id":"a b"}', 400, "bad-request", "id"],
  ["a start in the future", "runs", '{"time":9e15}', 400, "clock-skew", "time"],
  ["an end that is none", "runs/a/finish", '{"status":"running"}', 400, "bad-request", "status"],
  ["no settings of a probe", "runs/a/probes", "{}", 400, "bad-request", "step"],
])("%s is refused with a code, and nothing is stored", async (_what, path, body, status, code, field) => {
  const { store, post } = client();
  await post("runs", { id: "a" });
  await post("runs", { id: "longer" });
  const before = store.cursor();
  expect(await post(path, body)).toMatchObject({
    status,
    body: { code, ...(field === undefined ? {} : { path: field }) },
  });
  expect(store.cursor()).toBe(before);
});

test("a store that is open for reading takes nothing", async () => {
  const folder = temporaryFolder();
  const writer = testStore(folder);
  writer.append(runStarted("a"), { origin: { source: "http", details: {} } });
  writer.append(runFinished("a", { status: "interrupted" }));
  const { post, lines } = client(testStore(folder, { readOnly: true }));
  expect(await post("runs", {})).toMatchObject({ status: 403, body: { code: "read-only" } });
  expect(await lines("a", { step: 1, values: {} })).toMatchObject({ status: 403, body: { code: "read-only" } });
});

test("a full disk is said so, and the lines are stored once when they are sent again with room", async () => {
  const { store, post, lines } = client();
  await post("runs", { id: "a" });
  const flush = vi.spyOn(store, "flush");
  flush.mockImplementationOnce(() => {
    throw new StoreError("disk-full", "the disk is full");
  });
  const line = { sequence: 1, step: 1, values: { loss: 1 } };
  expect(await lines("a", line)).toMatchObject({ status: 507, body: { code: "disk-full" } });
  expect((await lines("a", line)).body).toEqual({ accepted: 0, duplicates: 1, next: 2 });
  expect(store.eventsAfter(1)).toHaveLength(1);
});

test("files of a run are kept, and shown to a browser as a download", async () => {
  const { app, post } = client();
  await post("runs", { id: "a" });
  const path = "/api/v1/runs/a/artifacts/report/last%20one.html";
  const put = await app.request(path, { method: "PUT", headers: { "content-type": "text/html" }, body: "<script>" });
  expect(put.status).toBe(204);
  const got = await app.request(path);
  expect([await got.text(), got.headers.get("content-type"), got.headers.get("content-disposition")]).toEqual([
    "<script>",
    "text/html",
    "attachment",
  ]);
  const list = (await (await app.request("/api/v1/runs/a/artifacts")).json()) as { artifacts: { name: string }[] };
  expect(list.artifacts.map(({ name }) => name)).toEqual(["report/last one.html"]);
  expect((await app.request("/api/v1/runs/a/artifacts/none")).status).toBe(404);
});
