// How fast the store writes and reads: `npm run build && node packages/server/bench/store.mjs`
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createApp, openStore } from "@sedge/server";

const start = (runId) => ({
  type: "run-started",
  runId,
  time: 0,
  name: runId,
  config: {},
  steps: 0,
  model: { paramCount: 0, description: "" },
});
const end = (runId) => ({ type: "run-finished", runId, time: 0, step: 0, status: "finished" });

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function median(rounds, work) {
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await work());
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
}

async function withStore(work) {
  const folder = mkdtempSync(join(tmpdir(), "sedge-bench-"));
  const store = openStore(folder);
  try {
    return await work(store, () => {
      store.close(); // which folds the log into the file
      return statSync(join(folder, "sedge.db")).size;
    });
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}

function write(store, runId, events, keys) {
  store.append(start(runId));
  for (let step = 0; step < events; step++) {
    const values = {};
    for (let key = 0; key < keys; key++) values[`metric/${key}`] = Math.sin(step + key);
    store.append({ type: "metrics", runId, time: 1e12 + step, step, values });
  }
  store.append(end(runId));
}

for (const [events, keys] of [
  [1_000_000, 1],
  [100_000, 10],
]) {
  let bytes = 0;
  const milliseconds = await median(5, () =>
    withStore(async (store, closedSize) => {
      const taken = await timed(() => write(store, "run", events, keys));
      bytes = closedSize();
      return taken;
    }),
  );
  const rate = ((events * keys) / milliseconds) * 1000;
  console.log(
    `write ${events} events of ${keys} metrics: ${milliseconds.toFixed(0)} ms, ${(rate / 1e6).toFixed(2)} million points/s, ` +
      `${(bytes / events / keys).toFixed(1)} bytes a point`,
  );
}

await withStore(async (store) => {
  write(store, "run", 1_000_000, 1);
  console.log(
    `read a series of 10⁶ points: ${(await median(5, () => timed(() => store.metrics("run")))).toFixed(0)} ms`,
  );
});

await withStore(async (store) => {
  for (let run = 0; run < 100; run++) write(store, `run-${run}`, 1000, 10);
  const app = createApp(store);
  const list = await median(9, () => timed(async () => (await app.request("/api/v1/runs")).text()));
  const all = await median(5, () =>
    timed(async () => {
      for (let run = 0; run < 100; run++) await (await app.request(`/api/v1/runs/run-${run}/metrics`)).text();
    }),
  );
  console.log(`list of 100 runs with 10 metrics, over the API: ${list.toFixed(1)} ms`);
  console.log(`all their metrics, 1000 steps each (10⁶ points), over the API: ${all.toFixed(0)} ms`);
});
