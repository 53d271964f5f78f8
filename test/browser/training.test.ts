/** The dashboard over a run that is being trained: the command in a process of its own, the store, the server, the page. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./chromium.js";
import { pointsOn, root, startDashboard, untilPoints, type Dashboard } from "./harness.js";

let browser: Browser;
let dashboard: Dashboard;
beforeAll(async () => {
  browser = await launchBrowser();
  dashboard = await startDashboard(browser);
});
afterAll(async () => {
  await dashboard.close();
  await browser.close();
});

interface Trained {
  readonly exitCode: number | null;
  readonly output: string;
}

/** `sedge train` with a small network; resolves when it ends. */
function sedgeTrain(name: string, settings: readonly string[]): Promise<Trained> {
  const small = [
    "--data.examples",
    "200",
    "--data.test-examples",
    "100",
    "--model.widths",
    "32",
    "--probes.examples",
    "32",
  ];
  const main = join(root, "packages/cli/dist/main.js");
  const child = spawn(process.execPath, [
    main,
    "train",
    "--name",
    name,
    "--store",
    dashboard.store.folder,
    ...small,
    ...settings,
  ]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => void (output += text.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** From now on, what the page shows of the loss chart and of the run at every change. */
async function watch(page: Page): Promise<() => Promise<{ readonly points: number; readonly status: string }[]>> {
  await page.evaluate(() => {
    const seen: { points: number; status: string }[] = [];
    Object.assign(globalThis, { seen });
    const look = () => {
      const points = Number(document.querySelector('[data-chart="loss"]')?.getAttribute("data-points") ?? 0);
      const status = document.querySelector(".status")?.getAttribute("data-status") ?? "none";
      const last = seen.at(-1);
      if (last?.points !== points || last.status !== status) seen.push({ points, status });
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { seen: { points: number; status: string }[] }).seen);
}

const status = (page: Page, name: string) => page.locator(".run", { hasText: name }).locator(".status");

test("points of a run appear while it is being trained", { timeout: 180_000 }, async () => {
  const page = await dashboard.open();
  await page.getByRole("heading", { name: "No runs yet" }).waitFor();
  const seen = await watch(page);
  const trained = await sedgeTrain("trained", [
    "--learning-rate",
    "0.02",
    "--batch-size",
    "1",
    "--steps",
    "4000",
    "--probes.every",
    "100",
  ]);
  expect(trained.exitCode, trained.output).toBe(0);
  await page.locator('.status[data-status="finished"]').waitFor();

  const run = dashboard.store.run("trained");
  const { series } = dashboard.store.metrics(run.id);
  const measured = series["loss/train"]!.steps.length + series["loss/test"]!.steps.length;
  await untilPoints(page, "loss", measured);
  expect(await pointsOn(page, "loss")).toBe(measured);

  // The page grew while the run was under way: several times, never backwards, and not all at the end.
  const history = await seen();
  const counts = history.map(({ points }) => points);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  const underWay = new Set(
    history.filter(({ status: s, points }) => s === "running" && points < measured).map(({ points }) => points),
  );
  expect(underWay.size).toBeGreaterThanOrEqual(3);

  const card = await page.locator(".run", { hasText: "trained" }).innerText();
  expect(card).toContain(run.latest["edge/deterministic"]!.toPrecision(2));
  expect(await page.locator(".verdicts").innerText()).toContain("K = ");
});

test("a run that diverges under the reader's eyes says at which step", { timeout: 180_000 }, async () => {
  await dashboard.closePages();
  const page = await dashboard.open();
  const trained = await sedgeTrain("diverging", [
    "--learning-rate",
    "5",
    "--batch-size",
    "1",
    "--steps",
    "2000",
    "--probes.every",
    "1000",
  ]);
  expect(trained.exitCode, trained.output).toBe(3);
  await status(page, "diverging").getByText("diverged").waitFor();
  const { step } = dashboard.store.run("diverging");
  await page.locator(".verdicts").getByText(`diverged at step ${step}`).waitFor();
  expect(await page.locator(".run", { hasText: "diverging" }).innerText()).toContain("∞");
});
