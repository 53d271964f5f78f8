import { expect, test } from "vitest";
import { metrics, runFinished, runStarted, testStore } from "../../testing/events.js";
import { createApp } from "../app.js";

/**
 * Cases beyond what replay.test.ts recorded of MLflow's Python client, in its form: protobuf's JSON, in which 64-bit integers
 * are text in some versions and numbers in others, both run_id and run_uuid, GET parameters in the query.
 */
const headers = { "User-Agent": "mlflow-python-client/2.22.0", "Content-Type": "application/json", Accept: "*/*" };

function mlflow(store = testStore(), token?: string) {
  const app = createApp(store, token === undefined ? {} : { token });
  const auth: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const call = async (method: "GET" | "POST", name: string, request: object) => {
    const query = new URLSearchParams(request as Record<string, string>).toString();
    const url = `/api/2.0/mlflow/${name}${method === "GET" ? `?${query}` : ""}`;
    const body = method === "GET" ? {} : { body: JSON.stringify(request) };
    const response = await app.request(url, { method, headers: { ...headers, ...auth }, ...body });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  const post = (name: string, request: object) => call("POST", name, request);
  const get = (name: string, request: object) => call("GET", name, request);
  return { store, app, post, get };
}

/** As `mlflow.set_experiment("vision"); mlflow.start_run(run_name="first")` does. */
async function started(client = mlflow()) {
  const missing = await client.get("experiments/get-by-name", { experiment_name: "vision" });
  expect(missing).toMatchObject({ status: 404, body: { error_code: "RESOURCE_DOES_NOT_EXIST" } });
  const { body: created } = await client.post("experiments/create", { name: "vision" });
  const tags = [
    { key: "mlflow.user", value: "ada" },
    { key: "mlflow.source.name", value: "train.py" },
    { key: "mlflow.source.type", value: "LOCAL" },
    { key: "mlflow.runName", value: "first" },
  ];
  const request = {
    experiment_id: created.experiment_id,
    user_id: "ada",
    start_time: "1700000000123",
    tags,
    run_name: "first",
  };
  const { status, body } = await client.post("runs/create", request);
  expect(status).toBe(200);
  const { run } = body as { run: { info: { run_id: string } } };
  return { ...client, run, id: run.info.run_id, experiment: created.experiment_id as string };
}

test("a run as a client logs it: experiment, params, metrics one by one and in batches, tags, the end", async () => {
  const { store, post, get, id, run, experiment } = await started();
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(run).toMatchObject({
    info: {
      run_id: id,
      run_uuid: id,
      run_name: "first",
      experiment_id: experiment,
      status: "RUNNING",
      start_time: 1700000000123,
    },
  });
  const both = { run_uuid: id, run_id: id };
  expect(await post("runs/log-parameter", { ...both, key: "lr", value: "0.1" })).toEqual({ status: 200, body: {} });
  await post("runs/log-metric", { ...both, key: "loss", value: 0.5, timestamp: "1700000001000", step: "1" });
  await post("runs/log-metric", { ...both, key: "loss", value: "NaN", timestamp: 1700000002000, step: 2 });
  await post("runs/log-batch", {
    run_id: id,
    metrics: [
      { key: "loss", value: 0.25, timestamp: "1700000003000", step: "3" },
      { key: "accuracy", value: 0.75, timestamp: "1700000003000", step: "3" },
      { key: "eval/loss", value: "Infinity", timestamp: "1700000003000", step: "3" },
    ],
    params: [{ key: "batch_size", value: "32" }],
    tags: [{ key: "note", value: "with warm-up" }],
  });
  await post("runs/set-tag", { ...both, key: "mlflow.note.content", value: "hello" });
  await post("runs/delete-tag", { run_id: id, key: "note" });
  const end = await post("runs/update", {
    ...both,
    status: "FINISHED",
    end_time: "1700000009000",
    run_name: "first, really",
  });
  expect(end.body.run_info).toMatchObject({ status: "FINISHED", end_time: 1700000009000, run_name: "first, really" });

  const summary = store.run(id);
  expect(summary).toMatchObject({
    name: "first, really",
    status: "finished",
    config: { lr: "0.1", batch_size: "32" },
    latest: { loss: 0.25, accuracy: 0.75, "eval/loss": Infinity },
  });
  expect([...store.metrics(id).series.loss!.values]).toEqual([0.5, NaN, 0.25]);
  const { body } = await get("runs/get", both);
  expect(body.run).toMatchObject({
    data: {
      params: [
        { key: "lr", value: "0.1" },
        { key: "batch_size", value: "32" },
      ],
      tags: expect.arrayContaining([
        { key: "mlflow.runName", value: "first, really" },
        { key: "mlflow.note.content", value: "hello" },
      ]) as object[],
    },
  });
  const history = await get("metrics/get-history", { ...both, metric_key: "loss" });
  expect(history.body.metrics).toEqual([
    { key: "loss", value: 0.5, timestamp: 1700000001000, step: 1 },
    { key: "loss", value: "NaN", timestamp: 1700000002000, step: 2 },
    { key: "loss", value: 0.25, timestamp: 1700000003000, step: 3 },
  ]);
});

test("metrics logged without a step, which the client sends as step 0, are counted; the same again is not", async () => {
  const { store, post, id } = await started();
  const log = (value: number, timestamp: number) =>
    post("runs/log-metric", { run_id: id, key: "loss", value, timestamp: String(timestamp), step: "0" });
  await log(3, 1700000001000);
  await log(2, 1700000001000);
  await log(2, 1700000001000);
  await log(2, 1700000002000);
  expect([...store.metrics(id).series.loss!.values]).toEqual([3, 2, 2]);
  expect([...store.metrics(id).series.loss!.steps]).toEqual([0, 1, 2]);
});

test("params do not change, experiments have one name, and what is not there is said in MLflow's codes", async () => {
  const { store, post, get, app, id } = await started();
  await post("runs/log-parameter", { run_id: id, key: "lr", value: "0.1" });
  const codes = async (answer: ReturnType<typeof post>) => {
    const { status, body } = await answer;
    return [status, body.error_code];
  };
  expect(await codes(post("runs/log-parameter", { run_id: id, key: "lr", value: "0.2" }))).toEqual([
    400,
    "INVALID_PARAMETER_VALUE",
  ]);
  expect(await codes(post("experiments/create", { name: "vision" }))).toEqual([400, "RESOURCE_ALREADY_EXISTS"]);
  expect(await codes(get("runs/get", { run_id: "f".repeat(32) }))).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
  expect(await codes(get("runs/get", { run_id: id.slice(0, 8) }))).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
  expect(await codes(get("experiments/get", { experiment_id: "77" }))).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
  expect(await codes(post("registered-models/create", { name: "m" }))).toEqual([404, "ENDPOINT_NOT_FOUND"]);
  expect(await codes(post("runs/log-metric", { run_id: id, key: "loss" }))).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  expect(await codes(post("runs/log-model", { run_id: id, model_json: "{}" }))).toEqual([501, "NOT_IMPLEMENTED"]);
  const artifact = (of: string, name: string) => `/api/2.0/mlflow-artifacts/artifacts/0/${of}/artifacts/${name}`;
  const sent = async (path: string, body: BodyInit, headers = {}) => {
    const response = await app.request(path, { method: "PUT", body, headers });
    return [response.status, ((await response.json()) as { error_code?: string }).error_code];
  };
  expect(await sent(artifact(id, "sub/model.pt"), "x")).toEqual([200, undefined]);
  expect((await get("artifacts/list", { run_id: id })).body.files).toEqual([{ path: "sub", is_dir: true }]);
  expect((await get("artifacts/list", { run_id: id, path: "sub" })).body.files).toEqual([
    { path: "sub/model.pt", is_dir: false, file_size: 1 },
  ]);
  store.append(runStarted("own"));
  expect(await sent(artifact("own", "a"), "x")).toEqual([400, "INVALID_STATE"]);
  for (const [name, request] of [
    ["log-parameter", { key: "new", value: "1" }],
    ["update", { run_name: "mine" }],
    ["log-metric", { key: "loss", value: 1, timestamp: 1 }],
    ["set-tag", { key: "a", value: "b" }],
  ] as const) {
    expect(await codes(post(`runs/${name}`, { run_id: "own", ...request }))).toEqual([400, "INVALID_STATE"]);
  }
  expect(await sent(artifact(id.slice(0, 9), "a"), "x")).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
  expect(await sent(artifact(id, "..%2fa"), "x")).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  expect(await sent(artifact(id, "a"), "x", { "content-length": "17000000" })).toEqual([
    400,
    "INVALID_PARAMETER_VALUE",
  ]);
  expect(await sent(`/api/2.0/mlflow-artifacts/mpu/create/0/${id}/a`, "x")).toEqual([501, "NOT_IMPLEMENTED"]);
  await post("runs/update", { run_id: id, status: "FAILED", end_time: "1700000009000" });
  const late = post("runs/log-metric", { run_id: id, key: "loss", value: 1, timestamp: 1, step: 9 });
  expect(await codes(late)).toEqual([400, "INVALID_STATE"]);
});

test("runs are found by metrics, params, tags and attributes, in an order, page by page; Sedge's own are of experiment 0", async () => {
  const { store, post } = mlflow();
  for (const [i, loss] of [0.3, 0.1, 0.2].entries()) {
    store.append(runStarted(`r${i}`, { config: { optimizer: i === 1 ? "adam" : "sgd" } }));
    store.append(metrics(`r${i}`, 1, { loss }));
  }
  store.append(runFinished("r2"));
  const search = async (request: object) => {
    const { body } = await post("runs/search", {
      experiment_ids: ["0"],
      run_view_type: "ACTIVE_ONLY",
      max_results: 1000,
      ...request,
    });
    const { runs, next_page_token: next } = body as {
      runs: { info: { run_id: string } }[];
      next_page_token?: string;
    };
    return { ids: runs.map(({ info }) => info.run_id), next };
  };
  expect((await search({})).ids).toEqual(["r2", "r1", "r0"]);
  expect((await search({ filter: "metrics.loss < 0.25 and params.optimizer = 'sgd'" })).ids).toEqual(["r2"]);
  expect((await search({ filter: "attributes.status = 'RUNNING'", order_by: ["metrics.loss ASC"] })).ids).toEqual([
    "r1",
    "r0",
  ]);
  expect((await search({ filter: "tags.`mlflow.runName` LIKE 'run%1'" })).ids).toEqual(["r1"]);
  expect((await search({ filter: "metric.other > 0" })).ids).toEqual([]);
  const first = await search({ order_by: ["metrics.loss DESC"], max_results: "2" });
  expect(first).toEqual({ ids: ["r0", "r2"], next: "2" });
  expect((await search({ order_by: ["metrics.loss DESC"], max_results: 2, page_token: first.next })).ids).toEqual([
    "r1",
  ]);
  expect((await search({ experiment_ids: ["5"] })).ids).toEqual([]);
  const wrong = await post("runs/search", { experiment_ids: ["0"], filter: "loss ~ 3" });
  expect(wrong).toMatchObject({ status: 400, body: { error_code: "INVALID_PARAMETER_VALUE" } });
});

test("experiments are listed, tagged and read; a token is a bearer token", async () => {
  const token = "0123456789abcdef0123456789abcdef";
  const { post, get, app } = mlflow(testStore(), token);
  const { body } = await post("experiments/create", { name: "a", tags: [{ key: "team", value: "x" }] });
  await post("experiments/set-experiment-tag", { experiment_id: body.experiment_id, key: "team", value: "y" });
  expect(
    (await post("experiments/search", { max_results: "1000", view_type: "ACTIVE_ONLY" })).body.experiments,
  ).toMatchObject([
    { experiment_id: "0", name: "Default" },
    { experiment_id: "1", name: "a", tags: [{ key: "team", value: "y" }], lifecycle_stage: "active" },
  ]);
  expect((await get("experiments/get-by-name", { experiment_name: "Default" })).body.experiment).toMatchObject({
    experiment_id: "0",
  });
  expect((await app.request("/api/2.0/mlflow/experiments/list")).status).toBe(401);
});

test("a run of the server's last life goes on, and resumes where start_run(run_id) asks for it", async () => {
  const { store, post, id } = await started();
  store.append({ type: "run-finished", runId: id, time: 1, step: 0, status: "interrupted" });
  expect((await post("runs/update", { run_id: id, status: "RUNNING" })).body.run_info).toMatchObject({
    status: "RUNNING",
  });
  store.append({ type: "run-finished", runId: id, time: 1, step: 0, status: "interrupted" });
  await post("runs/log-metric", { run_id: id, key: "loss", value: 1, timestamp: "1700000001000", step: "1" });
  expect(store.run(id)).toMatchObject({ status: "running", step: 1 });
});
