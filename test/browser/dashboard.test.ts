import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { violations } from "./accessibility.js";
import { launchBrowser } from "./chromium.js";
import { chart, pointsOn, startDashboard, untilPoints, type Dashboard } from "./harness.js";
import { divergingRun, fillMainExample, mainExample, metricsAt, pointsPerRun } from "./runs.js";

let browser: Browser;
let dashboard: Dashboard;
let ids: string[];
/** One page for all tests: a window of its own for each costs seconds, the page itself a fraction of one. */
let shared: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  dashboard = await startDashboard(browser, (store) => (ids = fillMainExample(store)));
  shared = await dashboard.open();
});
afterEach(async () => {
  await shared.unrouteAll();
  await shared.evaluate(() => localStorage.clear());
});
/** Whether the page is as it was loaded: no test has changed anything on it. */
let isFresh = false;
afterAll(async () => {
  await dashboard.close();
  await browser.close();
});

interface Opening {
  readonly path?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
}

/** The page, loaded anew as a reader with these preferences gets it. */
async function open(opening: Opening = {}): Promise<Page> {
  const { path = "/", viewport = { width: 1440, height: 900 } } = opening;
  const { colorScheme = "light", reducedMotion = "no-preference" } = opening;
  await shared.setViewportSize(viewport);
  await shared.emulateMedia({ colorScheme, reducedMotion });
  await shared.mouse.move(0, 0);
  await shared.goto(dashboard.url + path);
  isFresh = false;
  return shared;
}

/** The page for a test that leaves it as it finds it, so that several can look at the same one. All charts are in view. */
async function look(): Promise<Page> {
  if (isFresh) return shared;
  const page = await open({ viewport: { width: 1440, height: 1800 } });
  await ready(page);
  isFresh = true;
  return page;
}

const runCard = (page: Page, name: string) => page.locator(".run", { hasText: name });
const ready = (page: Page) => untilPoints(page, "loss", 2 * mainExample.length * pointsPerRun);

describe("the runs of a store", () => {
  test("are listed with their settings, both distances and their status", async () => {
    const page = await look();
    expect(await page.locator(".run").count()).toBe(mainExample.length + 1);
    const run = mainExample[2]!;
    const card = await runCard(page, run.name).innerText();
    const last = metricsAt(run, 12_000);
    expect(card).toContain("finished");
    expect(card).toContain("0.03");
    expect(card).toContain(`${last["noiseKernel/exact"]!.toFixed(2)} ± 0.06`);
    expect(card).toContain(last["edge/deterministic"]!.toFixed(2));
    expect(await runCard(page, divergingRun.name).innerText()).toMatch(/diverged[^]*14 \/ 12\s000[^]*∞/);
  });

  test("are judged in words", async () => {
    const page = await look();
    const verdicts = page.locator(".verdicts li");
    await verdicts.nth(3).waitFor();
    expect(await verdicts.allInnerTexts()).toEqual([
      expect.stringMatching(/η = 0.2[^]*diverged at step 14/),
      expect.stringMatching(/η = 0.03[^]*at the stochastic edge/),
      expect.stringMatching(/η = 0.01[^]*nearer the stochastic edge/),
      expect.stringMatching(/η = 0.003[^]*well inside both edges/),
    ]);
  });

  test("are drawn whole: every chart holds every point", async () => {
    const page = await look();
    const stable = mainExample.length * pointsPerRun;
    // Four points of the diverged run on each line. Infinite K is no point of a line: its K and one K of η = 0.03.
    const expected = {
      loss: 2 * (stable + 4),
      accuracy: 2 * (stable + 4),
      sharpness: stable + 4,
      edges: 3 * stable - 1 + 4,
    };
    for (const [id, points] of Object.entries(expected)) {
      await untilPoints(page, id, points);
      expect([id, await pointsOn(page, id)]).toEqual([id, points]);
    }
  });

  test("can be hidden, shown alone, filtered; the address brings the view back", async () => {
    const page = await open();
    await ready(page);
    await runCard(page, "η = 0.01").getByRole("checkbox").uncheck();
    expect(page.url()).toContain(`hide=${ids[1]}`);
    await page.waitForFunction(() => document.querySelectorAll('[data-chart="loss"] tbody tr').length === 3);

    await runCard(page, "η = 0.03").hover();
    await page.getByRole("button", { name: "Show only mnist-fcn η = 0.03" }).click();
    await page.getByRole("button", { name: "log" }).first().click();
    await page.getByRole("radio", { name: "η · step" }).check();
    expect(new URL(page.url()).searchParams.get("runs")).toBe(ids[2]);

    const again = await open({ path: new URL(page.url()).search });
    await untilPoints(again, "loss", 2 * pointsPerRun);
    expect(await pointsOn(again, "loss")).toBe(2 * pointsPerRun);
    expect(await again.getByRole("checkbox", { checked: true }).count()).toBe(1);
    expect(await again.getByRole("radio", { name: "η · step" }).isChecked()).toBe(true);

    await again.getByRole("searchbox").fill("diverged");
    expect(await again.locator(".run").count()).toBe(1);
    await again.getByRole("searchbox").fill("no such run");
    expect(await again.locator(".runs .nothing").innerText()).toContain("no such run");
  });
});

describe("the charts", () => {
  test("read out the values under the pointer, on all charts at once", async () => {
    const page = await look();
    const surface = chart(page, "edges").locator(".u-over");
    const box = (await surface.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForFunction(() =>
      document.querySelector('[data-chart="loss"] .legend-where')?.textContent?.startsWith("step"),
    );
    const shown = await chart(page, "loss").locator(".legend-where").innerText();
    const step = Number(shown.replace(/\D/g, ""));
    // The middle of the axis is step 6000, and a pixel is some 30 steps.
    expect(Math.abs(step - 6000)).toBeLessThan(60);
    const loss = metricsAt(mainExample[2]!, 6000)["loss/train"]!;
    const row = chart(page, "loss").locator("tbody tr", { hasText: "η = 0.03" });
    expect(await row.locator("td").first().innerText()).toBe(loss.toPrecision(3));
    await page.mouse.move(5, 5);
    expect(await chart(page, "loss").locator(".legend-where").innerText()).toBe("latest");
  });

  test("zoom together by dragging, and back by a double click", async () => {
    const page = await look();
    const all = await pointsOn(page, "loss");
    const surface = chart(page, "edges").locator(".u-over");
    const box = (await surface.boundingBox())!;
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.25, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, middle, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(
      (n) => Number(document.querySelector('[data-chart="loss"]')?.getAttribute("data-points")) < n / 2,
      all,
    );
    await surface.dblclick();
    await untilPoints(page, "loss", all);
  });

  test("answer to the keyboard and say what they show", async () => {
    const page = await look();
    const slider = page.getByRole("slider", { name: /^Both edges/ });
    await slider.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuenow")).toBe("1"); // the diverging run was measured at steps 0, 1, 3, 8
    await page.keyboard.press("End");
    expect(await slider.getAttribute("aria-valuenow")).toBe("12000");
    // An error of 6 % of 0.3 starts with a 1, so both numbers have three decimals.
    const last = metricsAt(mainExample[0]!, 12_000)["noiseKernel/exact"]!;
    expect(await slider.getAttribute("aria-valuetext")).toContain(`mnist-fcn η = 0.003 ${last.toFixed(3)} ± 0.018`);
    const all = await pointsOn(page, "edges");
    await page.keyboard.press("+");
    await page.waitForFunction(
      (n) => Number(document.querySelector('[data-chart="edges"]')?.getAttribute("data-points")) < n,
      all,
    );
    await page.keyboard.press("0");
    await untilPoints(page, "edges", all);
    await page.keyboard.press("Escape");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^latest/);
  });

  test("show an infinite K as such", async () => {
    const page = await look();
    const cell = chart(page, "edges").locator("tbody tr", { hasText: "η = 0.2" }).locator("td").first();
    expect(await cell.innerText()).toBe("∞");
    // Its marker stands at the top left corner of the plotting area, in the run's colour.
    const found = await page.evaluate((name) => {
      const row = [...document.querySelectorAll(".run")].find((card) => card.textContent?.includes(name))!;
      const wanted = getComputedStyle(row.querySelector("input")!).color;
      const canvas = document.querySelector<HTMLCanvasElement>('[data-chart="edges"] canvas')!;
      const over = document.querySelector<HTMLElement>('[data-chart="edges"] .u-over')!;
      const context = canvas.getContext("2d")!;
      const { data } = context.getImageData(
        over.offsetLeft * devicePixelRatio,
        over.offsetTop * devicePixelRatio,
        20,
        10,
      );
      const colours = new Set<string>();
      for (let i = 0; i < data.length; i += 4) colours.add(`rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`);
      return colours.has(wanted);
    }, divergingRun.name);
    expect(found).toBe(true);
  });

  test("switch measures on and off", async () => {
    const page = await open();
    await ready(page);
    const before = await pointsOn(page, "edges");
    await chart(page, "edges").getByRole("button", { name: "K trace" }).click();
    await untilPoints(page, "edges", before + mainExample.length * pointsPerRun);
    await page.getByRole("radio", { name: "λmax·η/2" }).check();
    await chart(page, "sharpness").getByText("λmax·η/2 (dimensionless)").waitFor();
  });
});

describe("a chart saved", () => {
  async function save(page: Page, format: string): Promise<{ name: string; bytes: Buffer }> {
    await chart(page, "edges").getByLabel("Save the chart Both edges").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      chart(page, "edges").getByRole("button", { name: format }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  test("as CSV holds what is on the chart, number for number", async () => {
    const page = await open({ path: `/?runs=${ids[1]}` });
    await untilPoints(page, "edges", 3 * pointsPerRun);
    const { name, bytes } = await save(page, "CSV");
    expect(name).toBe("sedge-edges.csv");
    const [head, ...rows] = bytes.toString().trimEnd().split("\r\n");
    expect(head).toBe("run,run_id,metric,step,value,standard_error");
    expect(rows).toHaveLength(3 * pointsPerRun);
    const last = metricsAt(mainExample[1]!, 12_000);
    const row = rows
      .map((text) => text.split(","))
      .find(([, , key, x]) => key === "noiseKernel/exact" && x === "12000")!;
    expect(Number(row[4])).toBe(last["noiseKernel/exact"]);
    expect(Number(row[5])).toBe(last["noiseKernel/exact/standardError"]);
  });

  test("as SVG is a figure with title, units, legend and a line for every measure", async () => {
    const page = await open({ path: `/?runs=${ids[1]}` });
    await untilPoints(page, "edges", 3 * pointsPerRun);
    const { bytes } = await save(page, "SVG");
    const text = await page.evaluate((source) => {
      const svg = new DOMParser().parseFromString(source, "image/svg+xml");
      const lines = svg.querySelectorAll("g[aria-label=line] path").length;
      return `${svg.documentElement.localName} ${lines} lines ${svg.documentElement.textContent}`;
    }, bytes.toString());
    expect(text).toMatch(/^svg 3 lines/);
    for (const part of [
      "Both edges",
      "distance to the edge (dimensionless)",
      "edge = 1",
      "K exact",
      "step",
      "η = 0.01",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("as PNG is a picture of 720 × 3 pixels across", async () => {
    const page = await open({ path: `/?runs=${ids[1]}` });
    await untilPoints(page, "edges", 3 * pointsPerRun);
    const { bytes } = await save(page, "PNG");
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect(bytes.readUInt32BE(16)).toBe(2160); // the header chunk's width
  });

  test("from the keyboard; Escape puts the menu away", async () => {
    const page = await look();
    const summary = chart(page, "loss").getByLabel("Save the chart Loss");
    await summary.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("CSV");
    await page.keyboard.press("Escape");
    expect(await chart(page, "loss").getByRole("button", { name: "CSV" }).isVisible()).toBe(false);
  });
});

describe("the page", () => {
  test.each([
    ["desktop", 1440],
    ["tablet", 768],
    ["phone", 390],
  ] as const)("is accessible and fits, light and dark: %s, %i px", async (_, width) => {
    // Without transitions, whose half-way colours have too little contrast.
    const page = await open({ viewport: { width, height: 900 }, reducedMotion: "reduce" });
    await page.locator(".run").nth(3).waitFor();
    await chart(page, "accuracy").scrollIntoViewIfNeeded();
    await untilPoints(page, "accuracy", 2 * mainExample.length * pointsPerRun);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    expect(await violations(page)).toEqual([]);
  });

  test("follows the system's colours, and the reader's choice before it", async () => {
    const page = await open({ colorScheme: "dark" });
    await ready(page);
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.emulateMedia({ colorScheme: "light" });
    await page.waitForFunction((was) => getComputedStyle(document.body).backgroundColor !== was, dark);
    const light = await background();
    expect(light).not.toBe(dark);
    await page.getByRole("radio", { name: "Dark" }).check();
    expect(await background()).toBe(dark);
    await page.reload();
    await ready(page);
    expect(await background()).toBe(dark);
  });

  test("can be worked from the keyboard alone", async () => {
    const page = await open();
    await ready(page);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("charts");
    await page.getByRole("checkbox").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    expect(await page.getByRole("checkbox").nth(1).isChecked()).toBe(false);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline).toBe("solid");
  });

  test("keeps still for readers who asked for it", async () => {
    const page = await open({ reducedMotion: "reduce" });
    await ready(page);
    const moving = await page.evaluate(
      () =>
        [...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
        }).length,
    );
    expect(moving).toBe(0);
  });

  test("asks nothing of any other host", async () => {
    const page = await open({ path: "/?x=time" });
    const asked = new Set<string>();
    page.on("request", (request) => asked.add(new URL(request.url()).origin));
    await page.reload();
    await ready(page);
    expect([...asked].filter((origin) => origin !== "null")).toEqual([dashboard.url]);
  });
});

describe("without runs to show", () => {
  test("an empty store says how to fill it, and the first run appears by itself", async () => {
    const empty = await startDashboard(browser);
    try {
      const page = await empty.open();
      await page.getByRole("heading", { name: "No runs yet" }).waitFor();
      expect(await page.locator("main code").innerText()).toMatch(/^npx sedge train/);
      expect(await violations(page)).toEqual([]);
      fillMainExample(empty.store);
      await ready(page);
    } finally {
      await empty.close();
    }
  });

  test("no run selected says so", async () => {
    const page = await open();
    await ready(page);
    await page.getByRole("button", { name: "None" }).click();
    await page.getByText("No run is selected").waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("a server that answers with an error is quoted, and asked again by itself", async () => {
    const page = await open();
    await ready(page);
    let broken = true;
    await page.route("**/api/v1/metrics*", (route) =>
      broken
        ? route.fulfill({
            status: 500,
            contentType: "application/json",
            body: '{"code":"store-corrupt","message":"The store is damaged."}',
          })
        : route.continue(),
    );
    await page.reload();
    await page.getByRole("alert").getByText("The store is damaged.").waitFor();
    expect(await violations(page)).toEqual([]);
    broken = false;
    await ready(page);
    await page.getByRole("alert").waitFor({ state: "detached" });
  });
});
