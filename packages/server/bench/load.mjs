// The server under load: `npm run build && node packages/server/bench/load.mjs [seconds] [posts a second] [streams] [runs]`
// Three processes beside this one's none: a server, a client that holds the streams, and this one, which posts. Everything goes
// over 127.0.0.1. A post is one numbered line of metrics; its latency counts from when it was due, so that a stall shows in
// every post that it held up. At the end every line must be in the store once and have come through every stream once.
import { Buffer } from "node:buffer";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStore, startServer } from "@sedge/server";

const [role = "60", ...rest] = process.argv.slice(2);
const start = (...args) => fork(fileURLToPath(import.meta.url), args);
const message = (child, wanted) =>
  new Promise((resolve) => {
    const listen = (value) => {
      if (!(wanted in value)) return;
      child.off("message", listen);
      resolve(value[wanted]);
    };
    child.on("message", listen);
  });

async function server([folder]) {
  const { url } = await startServer({ store: openStore(folder), port: 0 });
  let last = process.cpuUsage();
  process.send({ url });
  process.on("message", () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send({ cpu: (user + system) / 1e6, memory: process.memoryUsage().rss / 2 ** 20 });
  });
}

/** Counts metrics messages of each stream, and how old each chunk's last one is. */
function streams([url, count]) {
  const seen = new Array(Number(count)).fill(0);
  const ages = [];
  const mark = Buffer.from("event: metrics\n");
  for (let i = 0; i < Number(count); i++) {
    get(`${url}/api/v1/events`, { agent: false }, (response) => {
      let tail = Buffer.alloc(0);
      response.on("data", (chunk) => {
        const bytes = Buffer.concat([tail, chunk]);
        let at = 0;
        for (let found = bytes.indexOf(mark); found >= 0; found = bytes.indexOf(mark, at)) {
          seen[i]++;
          at = found + mark.length;
        }
        const sent = i === 0 && /"sent":([\d.]+)(?!.*"sent")/s.exec(bytes.subarray(at).toString("latin1"));
        if (sent) ages.push(Date.now() - Number(sent[1]));
        tail = bytes.subarray(Math.max(at, bytes.length - mark.length + 1));
      });
      response.on("error", () => undefined); // the server is killed in the end
    }).on("error", () => undefined);
  }
  process.on("message", () => process.send({ seen, ages }));
  process.send({ ready: true });
}

/** Posts without an answer. */
const mostOpen = 5000;
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

async function poster(seconds, rate, streamCount, runCount) {
  const folder = mkdtempSync(join(tmpdir(), "sedge-load-"));
  const serving = start("server", folder);
  const url = await message(serving, "url");
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  let again = 0;
  const post = (path, body, type, tries = 3) =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": type, "content-length": Buffer.byteLength(body) };
      const sending = request(`${url}/api/v1/${path}`, { method: "POST", agent, headers }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      // A connection that broke tells nothing of what became of the line; numbered, it may be sent again.
      sending.on("error", (error) => {
        if (tries === 0) return reject(error);
        again++;
        resolve(post(path, body, type, tries - 1));
      });
      sending.end(body);
    });
  const runs = Array.from({ length: runCount }, (_, i) => `run-${i}`);
  for (const id of runs) await post("runs", JSON.stringify({ id }), "application/json");
  const watching = start("streams", url, String(streamCount));
  await message(watching, "ready");
  await sleep(1000);
  serving.send("mark");
  await message(serving, "cpu");

  // Ten senders a run, so that a sender has had its answer when its next line is due.
  const senders = runs.flatMap((id) =>
    Array.from({ length: 10 }, (_, s) => ({ id, s, sequence: 0, last: Promise.resolve() })),
  );
  const wanted = seconds * rate;
  const latencies = [];
  /** The same by the ten seconds in which a post was due: the first hold the engine's own warming up. */
  const stretches = [];
  let refused = 0;
  let steps = 0;
  const open = new Set();
  const begin = performance.now();
  // A machine that cannot keep up would be asked for ever more: it is told so, and what was posted is still accounted for.
  let total = wanted;
  while (steps < total) {
    if (open.size > mostOpen) total = steps;
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * rate));
    for (; steps < due; steps++) {
      const sender = senders[steps % senders.length];
      const at = begin + (steps / rate) * 1000;
      const values = { "loss/train": Math.sin(steps), accuracy: Math.cos(steps), sent: Date.now() };
      const line = JSON.stringify({ sequence: ++sender.sequence, step: steps, values });
      const path = `runs/${sender.id}/metrics?sender=${sender.s}`;
      const send = () => post(path, line, "application/x-ndjson");
      // A sender's lines follow each other: the next goes when the last has been answered.
      const answered = sender.last.then(send).then((status) => {
        const latency = performance.now() - at;
        latencies.push(latency);
        (stretches[Math.floor((at - begin) / 10_000)] ??= []).push(latency);
        if (status !== 200) refused++;
        open.delete(answered);
      });
      sender.last = answered;
      open.add(answered);
    }
    await sleep(2);
  }
  await Promise.all(open);
  const taken = (performance.now() - begin) / 1000;
  serving.send("mark");
  const cpu = await message(serving, "cpu");
  await sleep(1500);
  watching.send("report");
  const { seen, ages } = await new Promise((resolve) => watching.once("message", resolve));
  watching.kill();
  serving.kill("SIGKILL"); // what was acknowledged must be there all the same

  await new Promise((resolve) => serving.once("exit", resolve));
  const store = openStore(folder);
  const stored = runs.reduce((sum, id) => sum + store.metrics(id, { keys: ["sent"] }).series.sent.steps.length, 0);
  const { sound } = store.checkIntegrity();
  store.close();
  rmSync(folder, { recursive: true, force: true });
  latencies.sort((a, b) => a - b);
  ages.sort((a, b) => a - b);
  const report = (sorted) =>
    `p50 ${quantile(sorted, 0.5).toFixed(1)} ms, p99 ${quantile(sorted, 0.99).toFixed(1)} ms, largest ${sorted.at(-1).toFixed(0)} ms`;
  console.log(
    `${total} posts in ${taken.toFixed(1)} s (${(total / taken).toFixed(0)} a second), ${streamCount} streams, ${runCount} runs`,
  );
  if (total < wanted) console.log(`stopped after ${total} of ${wanted}: more than ${mostOpen} posts had no answer yet`);
  console.log(`post to answer, from when it was due: ${report(latencies)}; ${refused} refused, ${again} sent again`);
  const p99s = stretches.map((stretch) =>
    quantile(
      stretch.sort((a, b) => a - b),
      0.99,
    ).toFixed(0),
  );
  console.log(`  p99 of each ten seconds: ${p99s.join(", ")} ms`);
  console.log(`post to a stream's client: ${report(ages)}`);
  console.log(`server: ${(cpu / taken).toFixed(2)} processors`);
  console.log(
    `stored after kill -9: ${stored} of ${total}, ${sound ? "sound" : "NOT SOUND"}; each stream brought: ${Math.min(...seen)} to ${Math.max(...seen)}`,
  );
  process.exit(
    stored === total && sound && seen.every((count) => count === total) && refused === 0 && total === wanted ? 0 : 1,
  );
}

const numbers = [role, ...rest].map(Number);
if (role === "server") await server(rest);
else if (role === "streams") streams(rest);
else await poster(numbers[0] || 60, numbers[1] || 2000, numbers[2] || 50, numbers[3] || 50);
