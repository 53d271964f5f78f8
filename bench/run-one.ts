/**
 * Times one of our workloads and prints one JSON line, as the peer scripts do, so that both can be run in alternation
 * and compared line by line. Usage: node bench/dist/run-one.js WORKLOAD
 */
import { availableParallelism, cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./statistics.js";
import { workloads } from "./workloads/index.js";

const name = process.argv[2] ?? "";
const workload = workloads[name];
if (workload === undefined) {
  console.error(`bench: unknown workload "${name}"; one of ${Object.keys(workloads).join(", ")}.`);
  process.exit(2);
}

const { per, run, dispose } = await workload.prepare();
await run();
let { milliseconds: estimate, value } = await clock(run);
if (estimate < 2000) for (let i = 0; i < 2; i++) estimate = Math.min(estimate, (await clock(run)).milliseconds);

// The same rule as the peers: enough calls a repeat for 60 ms, and a repeat in which other programs took the cores is retaken.
const inner = Math.max(1, Math.round(60 / estimate));
const repeats = estimate > 5000 ? 3 : estimate > 300 ? 5 : 9;
await quiet();
const kept: number[] = [];
const disturbed: { time: number; others: number }[] = [];
for (let i = 0; i < 3 * repeats && kept.length < repeats; i++) {
  const before = machineTime();
  const timing = await clock(async () => {
    for (let call = 1; call < inner; call++) await run();
    return run();
  });
  value = timing.value;
  const others = Math.max(0, machineTime() - before - 20) / Math.max(timing.milliseconds, 20);
  const time = timing.milliseconds / per / inner;
  if (others < 0.1) kept.push(time);
  else disturbed.push({ time, others });
}
const clean = kept.length;
disturbed.sort((a, b) => a.others - b.others);
kept.push(...disturbed.slice(0, repeats - clean).map(({ time }) => time));

console.log(
  JSON.stringify({
    peer: "sedge",
    version: process.versions.node,
    workload: name,
    threads: availableParallelism(),
    milliseconds: kept,
    median: median(kept),
    extra: {
      ...(value === undefined ? {} : { value }),
      ...(clean < kept.length
        ? { disturbed: `${kept.length - clean} of ${kept.length} repeats: other programs used the cores` }
        : {}),
    },
  }),
);
await dispose?.();

async function clock(work: () => Promise<number | undefined> | number | undefined) {
  const start = performance.now();
  const result = await work();
  return { milliseconds: performance.now() - start, value: result };
}

/** CPU milliseconds that programs other than this one have used so far, over all cores. */
function machineTime(): number {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const { user, system } = process.cpuUsage();
  return busy - (user + system) / 1000;
}

/** Waits, at most ten seconds, for half a second in which other programs leave the cores alone. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const before = machineTime();
    await sleep(500);
    if (machineTime() - before < 60) return;
  }
}
