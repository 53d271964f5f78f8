// How quick the dashboard is with many runs, in Chromium on the real server:
// `npm run build && node apps/web/bench/dashboard.mjs [runs] [steps]`
// A generated store of 100 runs × 10 metrics × 1000 steps by default. Prints, in milliseconds: from the navigation to the
// first charts of all runs, and to every point; from an append in the store to the chart that holds the point; and the
// time between animation frames while the charts are panned, zoomed, and pointed at, still and while runs go on.
/* global document, MutationObserver, PointerEvent, requestAnimationFrame, WheelEvent -- the page's, where those functions run */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, URL } from "node:url";
import { openStore, startServer } from "@sedge/server";
import { runnerImport } from "vite";

const [runCount, stepCount] = [process.argv[2] ?? "100", process.argv[3] ?? "1000"].map(Number);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const { module: browsers } = await runnerImport(join(root, "test/browser/chromium.ts"), { configFile: false, root });

const folder = mkdtempSync(join(tmpdir(), "sedge-bench-"));
const store = openStore(folder);
const start = Date.now() - 3_600_000;
const valuesAt = (run, step) => {
  const age = (step * (run + 1)) / 2e4;
  const ripple = 1 + 0.05 * Math.sin(step / 7 + run);
  const kernel = (0.3 + run / 100) * (1 + Math.exp(-age)) * ripple;
  const loss = (0.5 * Math.exp(-age) + 0.02) * ripple;
  return {
    ...{ "loss/train": loss, "loss/test": loss * 1.1, "loss/batch": loss * 1.2 },
    ...{ "noiseKernel/exact": kernel, "noiseKernel/exact/standardError": kernel / 20 },
    ...{ "noiseKernel/diagonal": kernel * 0.7, "noiseKernel/trace": kernel * 0.6 },
    ...{ sharpness: 20 / ripple, "edge/deterministic": 0.4 / ripple, "accuracy/test": 1 - loss },
  };
};
const ids = Array.from({ length: runCount }, (_, run) => `bench-${String(run).padStart(4, "0")}`);
ids.forEach((runId, run) => {
  const config = { learningRate: 0.01 * (1 + (run % 10)), batchSize: 2 ** (run % 6), data: { examples: 1000 } };
  const model = { paramCount: 118_282, description: "MLP" };
  const at = { runId, time: start + run };
  store.append({ type: "run-started", ...at, name: `run ${run}`, config, steps: 10 * stepCount, model });
  for (let i = 0; i < stepCount; i++) {
    store.append({ type: "metrics", runId, time: start + 20 * i, step: 10 * i, values: valuesAt(run, 10 * i) });
  }
});
store.flush();
const server = await startServer({ store, port: 0, webRoot: join(root, "apps/web/dist") });
const browser = await browsers.launchBrowser();

const quantile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};
const report = (name, values, unit = "ms") => {
  const text = [0.5, 0.95].map((share) => quantile(values, share).toFixed(1));
  console.log(
    `${name.padEnd(52)} median ${text[0].padStart(7)}   p95 ${text[1].padStart(7)} ${unit}   (${values.length})`,
  );
};

try {
  console.log(
    `${runCount} runs × 10 metrics × ${stepCount} steps; ${cpus()[0].model}, ${cpus().length} cores; Node ${process.version}`,
  );
  // One line of the loss chart a run: the tests and batches are off with so many.
  const everything = runCount * stepCount;
  const [firsts, wholes] = [[], []];
  let page;
  for (let i = 0; i < 5; i++) {
    await page?.context().close();
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    await page.addInitScript(() => {
      globalThis.seen = [];
      const look = () => {
        const points = Number(document.querySelector('[data-chart="loss"]')?.getAttribute("data-points") ?? 0);
        if (points !== globalThis.seen.at(-1)?.points) {
          globalThis.seen.push({ points, since: performance.now(), at: performance.timeOrigin + performance.now() });
        }
      };
      new MutationObserver(look).observe(document, {
        subtree: true,
        childList: true,
        attributeFilter: ["data-points"],
      });
    });
    await page.goto(server.url);
    await page.waitForFunction((n) => globalThis.seen.at(-1)?.points >= n, everything, { timeout: 60_000 });
    const seen = await page.evaluate(() => globalThis.seen);
    firsts.push(seen.find(({ points }) => points >= runCount * 50).since);
    wholes.push(seen.at(-1).since);
  }
  report("first view of all runs", firsts);
  report("every point of every run", wholes);

  const delays = [];
  for (let i = 0; i < 30; i++) {
    await sleep(100 + 17 * (i % 5));
    const run = i % runCount;
    const before = performance.timeOrigin + performance.now();
    const step = 10 * (stepCount + i);
    store.append({ type: "metrics", runId: ids[run], time: Date.now(), step, values: valuesAt(run, step) });
    store.flush();
    await page.waitForFunction((n) => globalThis.seen.at(-1).points >= n, everything + i + 1);
    const { at } = await page.evaluate(() => globalThis.seen.at(-1));
    delays.push(at - before);
  }
  report("from an append to the chart", delays);

  const frames = (gesture, milliseconds = 4000) =>
    page.evaluate(
      ([kind, duration]) =>
        new Promise((resolve) => {
          const surface = document.querySelector('[data-chart="edges"] .u-over');
          const { left, top, width, height } = surface.getBoundingClientRect();
          const times = [];
          let last = performance.now();
          const end = last + duration;
          const frame = (now) => {
            times.push(now - last);
            last = now;
            const share = 0.5 + 0.4 * Math.sin(now / 300);
            const at = {
              clientX: left + width * share,
              clientY: top + height * share,
              bubbles: true,
              cancelable: true,
            };
            if (kind === "pan")
              surface.dispatchEvent(new WheelEvent("wheel", { ...at, deltaX: 40 * Math.cos(now / 300) }));
            if (kind === "zoom") {
              surface.dispatchEvent(
                new WheelEvent("wheel", { ...at, deltaY: 12 * Math.cos(now / 400), ctrlKey: true }),
              );
            }
            if (kind === "point") surface.dispatchEvent(new PointerEvent("pointermove", at));
            if (now < end) requestAnimationFrame(frame);
            else resolve(times.slice(1));
          };
          requestAnimationFrame(frame);
        }),
      [gesture, milliseconds],
    );
  report("frames at rest", await frames("none", 2000));
  await page.evaluate(() => {
    const surface = document.querySelector('[data-chart="edges"] .u-over');
    const { left, width, top } = surface.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + 20, bubbles: true, cancelable: true };
    for (let i = 0; i < 12; i++) surface.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: -60, ctrlKey: true }));
  });
  report("frames while panning", await frames("pan"));
  report("frames while zooming", await frames("zoom"));
  report("frames while pointing", await frames("point"));
  let step = 10 * (stepCount + 100);
  const live = setInterval(() => {
    step += 10;
    ids.forEach((runId, run) => {
      store.append({ type: "metrics", runId, time: Date.now(), step, values: valuesAt(run, step) });
    });
    store.flush();
  }, 1000);
  report("frames while panning, each run a point a second", await frames("pan"));
  clearInterval(live);
} finally {
  await browser.close();
  await server.close();
  store.close();
  rmSync(folder, { recursive: true, force: true });
}
