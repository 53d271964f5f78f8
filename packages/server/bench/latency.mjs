// How long an event takes from `append` in one process to a client of the stream in another:
// `npm run build && node packages/server/bench/latency.mjs [milliseconds between events] [events]`
// Three processes: a writer, a server and this one, the client. hrtime is one clock for all processes of a machine.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStore, startServer } from "@sedge/server";

const now = () => Number(process.hrtime.bigint() / 1000n) / 1000;
const [role = "client", folder = "", interval = "20", count = "1000"] = process.argv.slice(2);

async function server() {
  const { url } = await startServer({ store: openStore(folder), port: 0 });
  process.send(url);
}

async function writer() {
  const store = openStore(folder);
  const model = { paramCount: 0, description: "" };
  store.append({ type: "run-started", runId: "run", time: 0, name: "run", config: {}, steps: 0, model });
  process.send("ready");
  for (let step = 0; step < Number(count); step++) {
    await sleep(Number(interval));
    store.append({ type: "metrics", runId: "run", time: 0, step, values: { sent: now() } });
  }
  store.append({ type: "run-finished", runId: "run", time: 0, step: 0, status: "finished" });
  store.close();
}

async function client() {
  const [, , pause = "20", events = "1000"] = process.argv;
  const place = mkdtempSync(join(tmpdir(), "sedge-bench-"));
  const start = (as) => fork(fileURLToPath(import.meta.url), [as, place, pause, events]);
  const answer = (child) => new Promise((resolve) => child.once("message", resolve));
  const serving = start("server");
  const url = await answer(serving);
  const response = await globalThis.fetch(`${url}/api/v1/events`);
  const writing = start("writer");
  await answer(writing);

  const latencies = [];
  const decoder = new globalThis.TextDecoder();
  let buffer = "";
  for await (const chunk of response.body) {
    const arrived = now();
    buffer += decoder.decode(chunk, { stream: true });
    const messages = buffer.split("\n\n");
    buffer = messages.pop();
    for (const message of messages) {
      const sent = /event: metrics\ndata: .*"sent":([\d.]+)/.exec(message);
      if (sent !== null) latencies.push(arrived - Number(sent[1]));
    }
    if (latencies.length === Number(events)) break;
  }
  serving.kill();
  rmSync(place, { recursive: true, force: true });
  latencies.sort((a, b) => a - b);
  const quantile = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))].toFixed(1);
  console.log(
    `${latencies.length} events, one every ${pause} ms, append to arrival: ` +
      `p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, largest ${quantile(1)} ms`,
  );
}

await { client, server, writer }[/^\d+$/.test(role) ? "client" : role]();
