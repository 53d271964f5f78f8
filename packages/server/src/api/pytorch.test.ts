import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testStore } from "../testing/events.js";
import { createApp } from "./app.js";

/** What clients/python/sedge_recorder.py sent from a real PyTorch loop, recorded by record_requests.py beside it. */
interface Recording {
  readonly expected: readonly { step: number; lambdaMax: number; trace: number }[];
  readonly requests: readonly { path: string; headers: Record<string, string>; body: string }[];
}
const file = new URL("../ingest/probe/fixtures/pytorch-requests.json", import.meta.url);
const { expected, requests } = JSON.parse(readFileSync(file, "utf8")) as Recording;

test("the requests of the PyTorch recorder, replayed, make a run with K and both edges", async () => {
  const store = testStore();
  const app = createApp(store, { token: requests[0]!.headers["Authorization"]!.slice("Bearer ".length) });
  for (const { path, headers, body } of requests) {
    const response = await app.request(path, { method: "POST", headers, body: Buffer.from(body, "base64") });
    expect([path, response.status < 300]).toEqual([path, true]);
  }
  expect(store.run("pytorch")).toMatchObject({ name: "from PyTorch", status: "finished", step: 20, tags: ["torch"] });
  const { series } = store.metrics("pytorch");
  expect([...series["loss/batch"]!.values]).toEqual([0.1, 0.05]);
  expect([...series.broken!.values]).toEqual([NaN, NaN]);
  // Computed in PyTorch another way, in double precision; the Gram is float32, so its eigenvalues are good to some 1e-7 of λ_max.
  for (const [i, { step, lambdaMax, trace }] of expected.entries()) {
    expect(series["ntk/lambdaMax"]!.steps[i]).toBe(step);
    expect(Math.abs(series["ntk/lambdaMax"]!.values[i]! / lambdaMax - 1)).toBeLessThan(1e-6);
    const byTrace = (0.05 * trace) / (2 * 2 * 3 * (1 - 0.9));
    expect(Math.abs(series["noiseKernel/trace"]!.values[i]! / byTrace - 1)).toBeLessThan(1e-6);
    const ratio = (0.05 * lambdaMax) / (2 * 1.9);
    expect(Math.abs(series["edge/deterministic"]!.values[i]! / ratio - 1)).toBeLessThan(1e-6);
  }
});

test("replayed a second time, nothing is doubled", async () => {
  const store = testStore();
  const app = createApp(store);
  const replay = async () => {
    for (const { path, headers, body } of requests) {
      await app.request(path, { method: "POST", headers, body: Buffer.from(body, "base64") });
    }
  };
  await replay();
  const before = store.metrics("pytorch");
  await replay();
  expect(store.metrics("pytorch").series).toEqual(before.series);
  expect(store.probes("pytorch")).toHaveLength(2);
});
