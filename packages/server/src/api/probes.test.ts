import { createRandom, multiplySymmetric } from "@sedge/linalg";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { compiledSources } from "../testing/children.js";
import { testStore } from "../testing/events.js";
import { SseReader } from "../testing/sse.js";
import { createApp } from "./app.js";
import { probeAnswerSchema } from "./ingest-schemas.js";
import { adviceSchema, probesSchema, spectraSchema } from "./record-schemas.js";

const sources = compiledSources();

function gramOf(examples: number, params: number): Float64Array {
  const jacobian = createRandom("gram").normals(examples * params);
  return multiplySymmetric(jacobian, jacobian, { size: examples, inner: params, transposeB: true });
}

/** With the real worker, in a thread. */
function serve() {
  const store = testStore();
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const worker = pathToFileURL(join(sources.folder, "ingest", "probe", "probe-worker.js"));
  const app = createApp(store, { signal: stopping.signal, analyst: { worker } });
  const get = async (path: string): Promise<unknown> => (await app.request(`/api/v1/${path}`)).json();
  const post = async (path: string, body: BodyInit, type = "application/json"): Promise<Response> =>
    app.request(`/api/v1/${path}`, { method: "POST", headers: { "content-type": type }, body });
  return { store, app, get, post };
}

test("a probe is answered, and stored as metrics, probe, spectrum and advice; the stream tells of it", async () => {
  const { store, app, get, post } = serve();
  await post("runs", '{"id":"a"}');
  const stream = new SseReader(await app.request("/api/v1/events"));
  const examples = 40;
  const gram = gramOf(examples, 100);
  const settings = { step: 30, examples, learningRate: 0.05, batchSize: 2, population: 1000 };
  const response = await post("runs/a/probes", JSON.stringify({ ...settings, gram: [...gram] }));
  expect(response.status).toBe(201);
  const answer = probeAnswerSchema.parse(await response.json());
  expect(answer).toMatchObject({ runId: "a", step: 30, kind: "ntk", examples });
  expect(answer.advice.verdict.text).toContain(`K = ${Number(answer.noiseKernel.exact!.value).toFixed(2)}`);

  const { exact, diagonal, highDim, trace } = answer.noiseKernel;
  expect(store.run("a").latest).toMatchObject({
    "noiseKernel/exact": exact!.value,
    "noiseKernel/exact/standardError": exact!.standardError,
    "noiseKernel/diagonal": diagonal!.value,
    "noiseKernel/highDim": highDim!.value,
    "noiseKernel/trace": trace!.value,
    "edge/deterministic": answer.deterministicRatio,
    "ntk/lambdaMax": answer.lambdaMax,
    learningRate: 0.05,
    batchSize: 2,
  });
  const { probes } = probesSchema.parse(await get("runs/a/probes"));
  expect(probes).toMatchObject([{ step: 30, kind: "ntk", data: { noiseKernel: answer.noiseKernel } }]);
  expect(probesSchema.parse(await get("runs/a/probes?kind=gradients,ntk")).probes).toHaveLength(1);
  expect(probesSchema.parse(await get("runs/a/probes?kind=trace")).probes).toEqual([]);
  const { spectra } = spectraSchema.parse(await get("runs/a/spectra"));
  expect(spectra[0]!.eigenvalues).toHaveLength(examples);
  expect(spectra[0]!.eigenvalues.at(-1)).toBe(answer.lambdaMax);
  const { advice } = adviceSchema.parse(await get("runs/a/advice"));
  expect(advice).toMatchObject([
    { step: 30, kind: "probe", text: answer.advice.text, data: { temper: answer.advice.temper } },
  ]);
  await stream.until(() => stream.of("recorded")[0]);
  expect(stream.of("recorded")[0]!.data).toMatchObject({
    runId: "a",
    step: 30,
    what: ["probe", "spectrum", "advice"],
    kinds: ["ntk", "probe"],
  });
  await stream.close();

  // Sent again, raw: the same place, nothing doubled.
  const query = new URLSearchParams(Object.entries(settings).map(([key, value]) => [key, String(value)]));
  const bytes = new Uint8Array(gram.buffer as ArrayBuffer);
  const again = await post(`runs/a/probes?dtype=float64&${query.toString()}`, bytes, "application/octet-stream");
  expect(await again.json()).toEqual({ ...answer, time: expect.any(Number) as number });
  expect(store.probes("a")).toHaveLength(1);
  expect(store.metrics("a").series["noiseKernel/exact"]!.steps).toHaveLength(1);
});

test("while a large Gram is worked on, the server answers others", async () => {
  const { store, app, post } = serve();
  await post("runs", '{"id":"a"}');
  const examples = 320;
  const gram = gramOf(examples, 330);
  const query = `step=1&dtype=float64&examples=${examples}&learningRate=0.001&batchSize=2`;
  let done = false;
  const begin = performance.now();
  const probe = post(`runs/a/probes?${query}`, new Uint8Array(gram.buffer as ArrayBuffer), "application/octet-stream");
  void probe.then(() => (done = true));
  let longest = 0;
  let asked = 0;
  while (!done) {
    const before = performance.now();
    await app.request("/api/v1/health");
    await new Promise((resolve) => setTimeout(resolve, 1));
    longest = Math.max(longest, performance.now() - before);
    asked++;
  }
  const taken = performance.now() - begin;
  expect((await probe).status).toBe(201);
  expect(store.probes("a")).toHaveLength(1);
  // Were it done in this thread, nobody would be answered until the end.
  expect(asked).toBeGreaterThan(5);
  expect(longest).toBeLessThan(taken / 2);
});

test("a probe of an unknown run, of none at all, or a broken one stores nothing", async () => {
  const { store, post } = serve();
  await post("runs", '{"id":"a"}');
  const before = store.cursor();
  const settings = { step: 1, examples: 2, learningRate: 0.1, batchSize: 1 };
  const send = async (run: string, body: object) => {
    const response = await post(`runs/${run}/probes`, JSON.stringify(body));
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  expect(await send("b", { ...settings, gram: [1, 0, 0, 1] })).toEqual([404, "unknown-run"]);
  expect(await send("a", { ...settings, gram: [1, 2, 3, 4] })).toEqual([422, "bad-gram"]);
  expect(await send("a", { ...settings, examples: 3000, gram: [] })).toEqual([413, "too-large"]);
  expect(await send("a", { ...settings, time: 9e15, gram: [1, 0, 0, 1] })).toEqual([400, "clock-skew"]);
  expect(store.cursor()).toBe(before);
});
