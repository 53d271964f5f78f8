import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./chromium.js";
import { pointsOn, startDashboard, untilPoints, type Dashboard } from "./harness.js";
import { addMetrics, startRun, type SyntheticRun } from "./runs.js";

let browser: Browser;
beforeAll(async () => void (browser = await launchBrowser()));
afterAll(() => browser.close());

const run: SyntheticRun = { name: "live", learningRate: 0.01, noiseKernel: 0.65, steps: 1000 };
/** Loss has two lines by default. */
const lossLines = 2;

async function withDashboard(work: (dashboard: Dashboard) => Promise<void>): Promise<void> {
  const dashboard = await startDashboard(browser);
  try {
    await work(dashboard);
  } finally {
    await dashboard.close();
  }
}

const addPoints = ({ store }: Dashboard, id: string, from: number, to: number) => {
  for (let step = from; step < to; step++) addMetrics(store, id, run, step);
  store.flush();
};
const connection = (page: Page, state: string) => page.locator(`[data-connection="${state}"]`).waitFor();

test("a run that starts while the page is open appears and grows", async () => {
  await withDashboard(async (dashboard) => {
    const page = await dashboard.open();
    await connection(page, "live");
    const id = startRun(dashboard.store, run);
    addPoints(dashboard, id, 0, 10);
    await untilPoints(page, "loss", lossLines * 10);
    addPoints(dashboard, id, 10, 25);
    await untilPoints(page, "loss", lossLines * 25);
    expect(await pointsOn(page, "loss")).toBe(lossLines * 25);
    await page.getByText("24 / 1000").waitFor();
    dashboard.store.append({ type: "run-finished", runId: id, time: Date.now(), step: 24, status: "finished" });
    await page.locator('.status[data-status="finished"]').waitFor();
  });
});

test("a server that goes away and comes back costs no point", async () => {
  await withDashboard(async (dashboard) => {
    const id = startRun(dashboard.store, run);
    addPoints(dashboard, id, 0, 20);
    const page = await dashboard.open();
    await untilPoints(page, "loss", lossLines * 20);
    let metricsRequests = 0;
    page.on("request", (request) => void (metricsRequests += Number(request.url().includes("/metrics"))));

    await dashboard.stopServer();
    await connection(page, "waiting");
    await page.getByRole("alert").getByText("connection to the server is lost").waitFor();
    expect(await pointsOn(page, "loss")).toBe(lossLines * 20); // what was read stays

    addPoints(dashboard, id, 20, 45);
    const resumed = page.waitForRequest(
      (request) => request.url().endsWith("/events") && request.headers()["last-event-id"] !== undefined,
    );
    await dashboard.restartServer();
    await resumed;
    await connection(page, "live");
    await untilPoints(page, "loss", lossLines * 45);
    expect(await pointsOn(page, "loss")).toBe(lossLines * 45);
    expect(metricsRequests).toBe(0); // the stream itself brought them
    expect(await page.getByRole("alert").count()).toBe(0);

    addPoints(dashboard, id, 45, 50);
    await untilPoints(page, "loss", lossLines * 50);
  });
});

test("a page opened while the server is away fills in once it is back", async () => {
  await withDashboard(async (dashboard) => {
    const id = startRun(dashboard.store, run);
    addPoints(dashboard, id, 0, 20);
    const page = await dashboard.open();
    await untilPoints(page, "loss", lossLines * 20);
    // The page itself comes from the cache of the route, the API from a server that is gone.
    await page.route("**/api/**", (route) => route.abort());
    await page.reload();
    await page.getByRole("heading", { name: "The server does not answer" }).waitFor();
    await page.unroute("**/api/**");
    await untilPoints(page, "loss", lossLines * 20);
  });
});

test("points written between the first look and the history are neither lost nor doubled", async () => {
  await withDashboard(async (dashboard) => {
    const id = startRun(dashboard.store, run);
    addPoints(dashboard, id, 0, 20);
    const page = await dashboard.open({ path: "/?x=time" });
    await untilPoints(page, "loss", lossLines * 20);
    await page.route("**/metrics*", async (route) => {
      const response = await route.fetch();
      addPoints(dashboard, id, 20, 30); // after the answer was made, before the page has it
      await page.waitForTimeout(400); // the stream brings them meanwhile
      await route.fulfill({ response });
    });
    await page.reload();
    await untilPoints(page, "loss", lossLines * 30);
    expect(await pointsOn(page, "loss")).toBe(lossLines * 30);
  });
});

test("points written between the list and the stream's first event are not lost", async () => {
  await withDashboard(async (dashboard) => {
    const id = startRun(dashboard.store, run);
    addPoints(dashboard, id, 0, 20);
    const page = await dashboard.open();
    await untilPoints(page, "loss", lossLines * 20);
    await page.route("**/events", async (route) => {
      await untilPoints(page, "loss", lossLines * 20); // list and history have come before the stream
      addPoints(dashboard, id, 20, 30);
      await route.continue();
    });
    await page.reload();
    await untilPoints(page, "loss", lossLines * 30);
    expect(await pointsOn(page, "loss")).toBe(lossLines * 30);
  });
});

test("values that are no numbers are gaps, and hurt nothing", async () => {
  await withDashboard(async (dashboard) => {
    const id = startRun(dashboard.store, run);
    for (let step = 0; step < 30; step++) {
      addMetrics(
        dashboard.store,
        id,
        run,
        step,
        step % 10 === 5 ? { "loss/train": NaN, "noiseKernel/exact": -Infinity } : {},
      );
    }
    dashboard.store.flush();
    const page = await dashboard.open();
    await untilPoints(page, "loss", lossLines * 30 - 3);
    expect(await pointsOn(page, "loss")).toBe(lossLines * 30 - 3);
  });
});
