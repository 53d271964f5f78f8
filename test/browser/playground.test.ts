/** The playground in Chromium, as `sedge serve` has it: it trains, and what it measures is what Node measures. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { decodeSafetensors, estimateNoiseKernel, objective, openHessian, openNtk, sharpness } from "@sedge/lab/browser";
import { createRandom } from "@sedge/linalg";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mnistSubset } from "../../apps/web/mnist-asset.js";
import { modelOf, probeOf, trainingExamples } from "../../apps/web/src/playground/training/experiment.js";
import { readMnistSubset } from "../../apps/web/src/playground/training/mnist-subset.js";
import { launchBrowser } from "./chromium.js";
import { startDashboard, untilPoints, type Dashboard } from "./harness.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let dashboard: Dashboard;
let page: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  dashboard = await startDashboard(browser);
  page = await dashboard.open({ path: "/playground?model=mlp&seed=3&learningRate=0.01&batchSize=2" });
  await untilMeasured();
});
afterAll(async () => {
  await dashboard.close();
  await browser.close();
});

/** Until the experiment stands still and everything has been measured. */
const untilMeasured = () => page.locator('.readings[data-settled="true"]').waitFor({ timeout: 60_000 });
const reading = async (name: string) => Number(await page.locator(".readings").getAttribute(`data-${name}`));

/** What axe-core finds wrong, as text that says where. */
async function violations(): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run(),
  );
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

interface Saved {
  readonly step: number;
  readonly params: Record<string, Float32Array>;
  readonly learningRate: number;
  readonly batchSize: number;
}

/** The weights that the page trains, as its button gives them. */
async function savedWeights(): Promise<Saved> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save weights" }).click();
  const { tensors, metadata } = decodeSafetensors(new Uint8Array(readFileSync(await (await download).path())), "page");
  return {
    step: Number(metadata["step"]),
    learningRate: Number(metadata["learningRate"]),
    batchSize: Number(metadata["batchSize"]),
    params: Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array])),
  };
}

const split = readMnistSubset(mnistSubset(), trainingExamples);
const model = modelOf("mlp");

/** K and λ_max·η/2 of the saved weights, in Node. */
async function inNode({ params, learningRate, batchSize }: Saved) {
  const ntk = await openNtk(model);
  const hessian = await openHessian(objective(model, "squared"), model.params);
  const measured = await ntk.measure(params, probeOf(split, 3).inputs);
  const sgd = { batchSize, sampling: "without-replacement", examples: split.examples } as const;
  const { exact } = estimateNoiseKernel(measured, "squared", sgd, { learningRate });
  const top = await sharpness(hessian, params, split, { random: createRandom("node") });
  await Promise.all([ntk.dispose(), hessian.dispose()]);
  return { kernel: exact.value, ratio: (top.value * learningRate) / 2 };
}

/**
 * Both sides measure the same float32 weights. Entries of the tangent kernel are sums of products rounded in another order,
 * some 1e-6 of λ_max; K moves by as much, times what pair responses near the edge magnify it by, 1/(1 − λ_max·η/2), below 10
 * here; each side's Perron iteration stops at 1e-5. 1e-4 covers them.
 */
const kernelTolerance = 1e-4;
/** The page stops Lanczos at a residual of 1e-2 λ_max: the value is off by its square over the gap, some 1e-3. */
const ratioTolerance = 1e-2;

async function expectAsInNode(): Promise<Saved> {
  const saved = await savedWeights();
  const { kernel, ratio } = await inNode(saved);
  expect(await reading("kernel-step")).toBe(saved.step);
  expect(Math.abs((await reading("kernel")) / kernel - 1)).toBeLessThan(kernelTolerance);
  expect(Math.abs((await reading("ratio")) / ratio - 1)).toBeLessThan(ratioTolerance);
  return saved;
}

test("before the first step the weights are Node's, bit for bit, and K and λ_max come out as there", async () => {
  const { params, step } = await expectAsInNode();
  expect(step).toBe(0);
  const own = model.initialise(createRandom(3).fork("initialise"));
  expect(Object.keys(params).sort()).toEqual(Object.keys(own).sort());
  for (const [name, values] of Object.entries(own)) expect(params[name], name).toEqual(values);
});

test("it trains, live, and K of the trained weights is Node's", async () => {
  const before = await reading("loss");
  await page.getByRole("button", { name: "Train" }).click();
  await untilPoints(page, "loss", 6);
  expect(await page.locator(".readings").getAttribute("data-phase")).toBe("training");
  // Both sliders act while it trains.
  const rate = page.getByRole("slider", { name: "learning rate" });
  await rate.focus();
  await rate.press("ArrowRight");
  const batch = page.getByRole("slider", { name: "batch size" });
  await batch.focus();
  await batch.press("ArrowRight");
  await page.waitForFunction(() => location.search.includes("learningRate=0.0112&batchSize=4"));
  await untilPoints(page, "loss", 12);
  expect(await reading("loss")).toBeLessThan(0.5 * before);

  await page.getByRole("button", { name: "Pause" }).click();
  await untilMeasured();
  const { step, learningRate, batchSize } = await expectAsInNode();
  expect(step).toBeGreaterThan(50);
  expect([learningRate, batchSize]).toEqual([0.0112, 4]);
});

test("a linear model beyond its threshold grows, and says so", async () => {
  await page.getByRole("radio", { name: "Linear" }).check();
  await untilMeasured();
  const critical = Number(await page.locator("[data-critical]").getAttribute("data-critical"));
  expect(critical).toBeGreaterThan(0);
  await page.locator(".phases svg[role=img]").click({ position: { x: 60, y: 30 } });
  await untilMeasured();
  expect(await reading("kernel")).toBe(Infinity);
  await page.getByRole("button", { name: "Train" }).click();
  await page.getByText(/stopped being finite at step \d+/).waitFor();
});

test.each(["light", "dark"] as const)("axe finds nothing wrong, %s", async (theme) => {
  await page.getByRole("radio", { name: theme === "light" ? "Light" : "Dark" }).check();
  expect(await violations()).toEqual([]);
});

test("nothing is wider than a phone", async () => {
  await page.setViewportSize({ width: 360, height: 780 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(360);
});
