/** The table of runs, the page of a run, the phases of a sweep, the comparison: each in Chromium on the real server. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { violations } from "./accessibility.js";
import { launchBrowser } from "./chromium.js";
import { chart, startDashboard, untilPoints, type Dashboard } from "./harness.js";
import { eigenvaluesAt, fillRecordedRun, fillSweep, layers, probeSteps, recordedRun, sweepName } from "./records.js";
import { addMetrics, divergingRun, fillMainExample, mainExample, metricsAt, startRun } from "./runs.js";

let browser: Browser;
let dashboard: Dashboard;
/** One page for all tests: each goes to the view it is about. */
let page: Page;
let recorded: string;
let ids: string[];
beforeAll(async () => {
  browser = await launchBrowser();
  dashboard = await startDashboard(browser, (store) => {
    ids = fillMainExample(store);
    recorded = fillRecordedRun(store);
    fillSweep(store);
    store.setTags(ids[0]!, ["baseline"]);
  });
  // Without transitions, whose half-way colours have too little contrast.
  page = await dashboard.open({ reducedMotion: "reduce" });
});
afterAll(async () => {
  await dashboard.close();
  await browser.close();
});

const visit = (path: string) => page.goto(dashboard.url + path);
const figure = (id: string) => page.locator(`[data-figure="${id}"]`);
const rowNames = () => page.locator(".runs-table tbody .run-link").allInnerTexts();
const runCount = mainExample.length + 1 + 1 + 31;

/** Accessible and no wider than the window, in both themes and at three widths, without loading the page anew. */
async function checkLooks(): Promise<void> {
  for (const [width, theme] of [
    [1440, "Light"],
    [820, "Dark"],
    [390, "Light"],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.getByRole("radio", { name: theme }).check();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    if (width !== 390) expect(await violations(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

async function saved(name: string, format: string): Promise<string> {
  await page.getByLabel(`Save the figure ${name}`).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: format, exact: true }).click(),
  ]);
  return readFileSync(await download.path(), "latin1");
}

describe("the table", () => {
  test("lists every run, sorts by any column in both directions, and keeps that in the address", async () => {
    await visit("/?view=table");
    await page
      .locator(".runs-table tbody tr")
      .nth(runCount - 1)
      .waitFor();
    expect((await rowNames())[0]).toBe("η = 1, B = 256"); // started last
    await page.getByRole("columnheader", { name: "K", exact: true }).getByRole("button").click();
    expect((await rowNames())[0]).toBe(divergingRun.name); // K = ∞
    expect(page.url()).toContain("sort=-kernel");
    await page.getByRole("columnheader", { name: "K", exact: true }).getByRole("button").press("Enter");
    expect((await rowNames())[0]).toBe("η = 0.003, B = 256"); // K = 40 · 0.003 / 256, the smallest
    expect(await page.locator("th[aria-sort]").getAttribute("aria-sort")).toBe("ascending");
    const last = metricsAt(mainExample[1]!, 12_000);
    const row = page.locator(".runs-table tr", { hasText: mainExample[1]!.name });
    expect(await row.innerText()).toContain(`${last["noiseKernel/exact"]!.toFixed(2)} ± 0.04`);
    expect(await row.locator(".sparkline path").count()).toBe(1);
    await checkLooks();
  });

  test("searches by words, settings and tags; a tag's button wants it", async () => {
    await visit("/?view=table");
    await page.getByRole("searchbox").fill("η=0.01 b=1");
    await page.waitForFunction(() => document.querySelectorAll(".runs-table tbody tr").length === 2);
    await page.getByRole("searchbox").fill("");
    await page.locator(".runs-table").getByRole("button", { name: "baseline" }).click();
    expect(await rowNames()).toEqual([mainExample[0]!.name]);
    expect(await page.getByRole("searchbox").inputValue()).toBe("tag:baseline");
    await page.getByRole("searchbox").fill("no such run");
    await page.getByText("No run matches").waitFor();
  });

  test("ticks runs for charts and comparison, all at once too", async () => {
    await visit("/?view=table&filter=mnist-fcn");
    const boxes = page.locator(".runs-table tbody").getByRole("checkbox");
    await boxes.nth(mainExample.length + 1).waitFor();
    await page.getByRole("checkbox", { name: "Show all of these" }).uncheck();
    await page.getByRole("checkbox", { name: "Show all of these" }).check();
    await boxes.first().uncheck();
    await page.getByRole("link", { name: "Compare" }).last().click();
    await page.getByRole("heading", { name: "Compare" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(await boxes.first().isChecked()).toBe(false);
  });

  test("tags the ticked runs and takes the tag away again; the server's refusal is quoted", async () => {
    await visit(`/?view=table&runs=${ids[1]},${ids[2]}&filter=mnist-fcn`);
    await page.getByText("2 of them shown").waitFor();
    await page.getByRole("combobox", { name: "Add a tag" }).fill("kept");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll(".row-tags").length === 3);
    expect(dashboard.store.run(ids[2]!).tags).toEqual(["kept"]);
    await page.getByRole("button", { name: /^Remove the tag kept/ }).click();
    await page.waitForFunction(() => document.querySelectorAll(".row-tags").length === 1);
    expect(dashboard.store.run(ids[2]!).tags).toEqual([]);
    await page.getByRole("combobox", { name: "Add a tag" }).fill("a, b");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("without commas").waitFor();
  });
});

describe("a run's page", () => {
  test("is reached from the table and shows what was recorded, accessibly at every width", async () => {
    await visit("/?view=table&filter=recorded");
    await page.getByRole("link", { name: recordedRun.name }).press("Enter");
    await figure("examples").locator("li").first().waitFor();
    expect(page.url()).toContain(`run=${recorded}`);
    await untilPoints(page, "control", 2 * 31);
    expect(await figure("advice").innerText()).toMatch(
      /Balanced[^]*0\.0222 ± 0\.0010[^]*sure[^]*--learning-rate 0\.011/,
    );
    expect(await figure("control-events").innerText()).toMatch(/asked 3 times, acted once[^]*raise[^]*η 0\.01 → 0\.02/);
    const bars = await figure("attribution").getByRole("table").innerText();
    for (const { name } of layers) expect(bars).toContain(name);
    expect(bars).toMatch(/dense 0\s+60\.0\s%\s+30\.0\s%\s+40\.0\s%/);
    await checkLooks();
  });

  test("shows an earlier probe by its slider: the layers, the examples and the words follow", async () => {
    await visit(`/?run=${recorded}`);
    const slider = page.getByRole("slider", { name: "Probe" });
    await slider.focus();
    await page.keyboard.press("Home");
    expect(await slider.getAttribute("aria-valuetext")).toBe("probe at step 0");
    expect(await figure("attribution").innerText()).toContain("not measured"); // K was infinite there
    expect(await figure("examples").innerText()).toContain("at step 0");
    await page.keyboard.press("ArrowRight");
    expect(await figure("spectrum").innerText()).toContain(`step ${probeSteps[1]}:`);
    const image = figure("examples").getByRole("img").first();
    expect(await image.getAttribute("aria-label")).toBe("Training example 100, class 0");
    const pixels = await image.evaluate((canvas) => {
      const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, 2, 1);
      return [...data];
    });
    expect(pixels).toEqual([255, 255, 255, 255, 30, 30, 30, 255]); // the picture's first two
  });

  test("puts theory beside the run: 2/λ_max, and the learning rate and batch size at which K is 1", async () => {
    await visit(`/?run=${recorded}`);
    const { sharpness, "noiseKernel/exact": kernel } = metricsAt(recordedRun, 6000);
    const table = figure("theory").getByRole("table");
    await table.getByText("stochastic edge").waitFor();
    expect(await table.innerText()).toContain((2 / sharpness!).toPrecision(2));
    const rate = Number(await table.locator("tbody tr").first().locator("td").first().innerText());
    // K grows a little faster than η, so the critical η is a little below η/K.
    expect(rate / (recordedRun.learningRate / kernel!)).toBeGreaterThan(0.9);
    expect(rate / (recordedRun.learningRate / kernel!)).toBeLessThanOrEqual(1.01);
    await page.getByText("How these are computed").click();
    await figure("theory").locator("math").first().waitFor();
  });

  test("draws theory's loss curve beside a run of squared loss, and says where it is linearised", async () => {
    const { id } = dashboard.store.runs().find(({ name }) => name === "η = 0.01, B = 16")!;
    await visit(`/?run=${id}`);
    await chart(page, "loss").getByText("theory, linearised at step 0").waitFor();
    // Train and test, 21 points each, and a point for every step until half of the predicted loss is left.
    await untilPoints(page, "loss", 2 * 21 + 2);
    await chart(page, "loss").getByRole("button", { name: "theory" }).click();
    await page.waitForFunction(
      () => document.querySelector('[data-chart="loss"]')?.getAttribute("data-points") === "42",
    );
    // A controlled run has none: its learning rate moves. Its target is on the overview chart instead.
    await visit(`/?run=${recorded}`);
    await chart(page, "edges").getByRole("button", { name: "target K" }).waitFor();
    expect(await chart(page, "edges").locator("tbody td").last().innerText()).toBe("0.900");
    expect(await chart(page, "loss").getByRole("button", { name: "theory" }).count()).toBe(0);
  });

  test("draws the spectrum, of the kernel or the Hessian; saved, it is a figure or numbers", async () => {
    await visit(`/?run=${recorded}`);
    await figure("spectrum").locator("image").waitFor();
    const largest = eigenvaluesAt(6000).at(-1)!.toPrecision(3);
    await figure("spectrum").getByText(`largest eigenvalue ${largest}, deterministic edge at 100`).waitFor();
    const before = await figure("spectrum").locator("image").getAttribute("href");
    await page.getByRole("radio", { name: "Hessian" }).check();
    await page.getByText("eigenvalues of the Hessian").waitFor();
    expect(await figure("spectrum").locator("image").getAttribute("href")).not.toBe(before);
    await page.getByRole("radio", { name: "Kernel" }).check();
    const rows = (await saved("Spectrum", "CSV")).trimEnd().split("\r\n").slice(1);
    const counted = rows.map((row) => row.split(",").map(Number)).filter(([step]) => step === 6000);
    // All 32 eigenvalues lie in the map.
    expect(counted.reduce((sum, [, , , count]) => sum + count!, 0)).toBe(32);
    const svg = await saved("Layers", "SVG");
    expect(svg).toContain("<svg");
    expect(svg).toContain("dense 1");
    expect((await saved("Layers", "PNG")).slice(1, 4)).toBe("PNG");
  });

  test("says what is not there: no records, no such run, a read that fails", async () => {
    await visit(`/?run=${ids[0]}`);
    for (const words of ["No advice has been recorded", "No spectrum has been", "No attribution", "No examples"]) {
      await page.getByText(words).waitFor();
    }
    expect(await violations(page)).toEqual([]);
    await visit("/?run=nothing");
    await page.getByText("There is no such run").waitFor();
    await page.route("**/advice*", (route) =>
      route.fulfill({ status: 500, json: { code: "x", message: "It is broken." } }),
    );
    await visit(`/?run=${recorded}`);
    await page.getByRole("alert").getByText("It is broken.").waitFor();
    await page.unroute("**/advice*");
    await page.getByRole("button", { name: "Try again" }).click();
    await figure("examples").locator("li").first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("grows while the run does: metrics and records", async () => {
    const { store } = dashboard;
    const run = { ...recordedRun, name: "growing", startedAt: Date.now() };
    const id = startRun(store, run);
    addMetrics(store, id, run, 0);
    store.flush();
    await visit(`/?run=${id}`);
    await page.getByText("No examples have been").waitFor();
    const responsible = [{ index: 5, weight: 1, label: 1, predicted: 1 }];
    const data = { examples: 8, noiseKernel: 0.5, effectiveExamples: 1, responsible };
    store.record(id, { probes: [{ step: 10, time: Date.now(), kind: "examples", data }] });
    await page.getByText("no. 5").waitFor();
    store.record(id, {
      probes: [
        { step: 20, time: Date.now(), kind: "examples", data: { ...data, responsible: [{ index: 6, weight: 1 }] } },
      ],
    });
    await page.getByText("no. 6").waitFor();
    addMetrics(store, id, run, 30);
    store.flush();
    await page.getByText("30 / 6000").waitFor();
    store.append({ type: "run-finished", runId: id, time: Date.now(), step: 30, status: "finished" });
    store.flush();
    store.deleteRun(id);
    await page.getByText("There is no such run").waitFor();
  });
});

describe("the phases of a sweep", () => {
  const marks = () => page.locator(".phase-diagram g[data-outcome] circle[fill=transparent]").count();

  test("hold a mark for every run, and theory's curves where they belong", async () => {
    await visit("/?view=phases");
    await page.getByRole("combobox", { name: "Runs of" }).selectOption(sweepName);
    await page.getByText(/^K = 1 from \d+ runs’ first probe/).waitFor();
    expect(await marks()).toBe(31);
    expect(page.url()).toContain(`sweep=${sweepName}`);
    const rows = (await saved("Learning rate and batch size", "CSV")).trimEnd().split("\r\n").slice(1);
    const outcomes = rows.map((row) =>
      row
        .split(",")
        .slice(-6)
        .map((cell) => cell.replaceAll('"', "")),
    );
    // Every run with K > 1 was ended: the truth that the generated sweep was made with.
    for (const [, rate, batch, outcome] of outcomes.map((cells) => ["", ...cells])) {
      expect(outcome === "diverged").toBe((40 * Number(rate)) / Number(batch) > 1);
    }
    await checkLooks();
  });

  test("are read with the arrow keys, and Enter opens a run", async () => {
    await visit(`/?view=phases&sweep=${sweepName}&colour=kernel`);
    const diagram = page.getByRole("slider", { name: "Runs by learning rate and batch size" });
    await diagram.focus();
    await page.keyboard.press("ArrowRight");
    expect(await diagram.getAttribute("aria-valuetext")).toMatch(/learning rate 0\.003, batch size 1,/);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowRight");
    expect(await diagram.getAttribute("aria-valuetext")).toMatch(/learning rate 0\.01, batch size 4, finished/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "η = 0.01, B = 4" }).waitFor();
    await page.goBack();
    await diagram.waitFor();
  });

  test("are coloured by loss, and say where a sweep has no runs", async () => {
    await visit(`/?view=phases&sweep=${sweepName}&colour=loss`);
    await page
      .locator(".phase-diagram")
      .getByText(/^loss /)
      .first()
      .waitFor();
    await visit("/?view=phases&sweep=gone");
    await page.getByText("No run says at which learning rate").waitFor();
    expect(await violations(page)).toEqual([]);
  });
});

describe("the comparison", () => {
  test("shows the settings that differ and where each metric ended", async () => {
    await visit(`/?view=compare&runs=${ids[0]},${ids[2]}`);
    const table = page.locator(".compare-table");
    await table.waitFor();
    const row = (name: string) => table.locator("tr", { has: page.locator(`th:text-is("${name}")`) });
    expect(await row("learningRate").locator("td").allInnerTexts()).toEqual(["0.03", "0.003"]); // the newest first
    expect(await row("steps").count()).toBe(0);
    await page.getByRole("button", { name: "All settings" }).click();
    expect(await row("steps").locator("td").allInnerTexts()).toEqual(["12000", "12000"]);
    const kernel = metricsAt(mainExample[2]!, 12_000)["noiseKernel/exact"]!;
    expect(await row("noiseKernel/exact").locator("td").first().innerText()).toBe(`${kernel.toFixed(2)} ± 0.06`);
    expect(await row("noiseKernel/exact").locator("[data-best=true]").innerText()).toMatch(/^0\.29/);
    await checkLooks();
    await visit(`/?view=compare&runs=${ids[0]}`);
    await page.getByText("Pick two runs or more").waitFor();
    expect(await chart(page, "loss").count()).toBe(0);
  });
});
