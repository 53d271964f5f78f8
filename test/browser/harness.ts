/** What the browser tests share: a store in a folder of its own, the real server on it, and a page that shows it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore, startServer, type RunningServer, type RunStore } from "@sedge/server";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const webRoot = join(root, "apps/web/dist");

export interface Dashboard {
  readonly store: RunStore;
  readonly url: string;
  /** A page of its own context, which fails the test if anything is written to its console as an error. */
  open(options?: BrowserContextOptions & { readonly path?: string }): Promise<Page>;
  /** The server goes away, the store stays. */
  stopServer(): Promise<void>;
  /** The server comes back on the same port. */
  restartServer(): Promise<void>;
  /** Closes the pages: each holds a stream and draws as long as it is open. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

/** @param fill  Writes runs into the store before the server starts. */
export async function startDashboard(browser: Browser, fill: (store: RunStore) => void = () => {}): Promise<Dashboard> {
  if (!existsSync(join(webRoot, "index.html"))) {
    throw new Error(`${webRoot} is not there: build the dashboard first (npm run build --workspace @sedge/web).`);
  }
  const folder = mkdtempSync(join(tmpdir(), "sedge-browser-"));
  const store = openStore(folder);
  fill(store);
  store.flush();
  let server: RunningServer = await startServer({ store, port: 0, webRoot });
  const { port, url } = server;
  let pages: Page[] = [];
  const complaints: string[] = [];
  const closePages = async () => {
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
  };
  return {
    store,
    url,
    async open({ path = "/", ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      pages.push(page);
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        // A server that is away on purpose is reported by the browser itself.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
          complaints.push(message.text());
        }
      });
      await page.goto(url + path);
      return page;
    },
    stopServer: () => server.close(),
    async restartServer() {
      server = await startServer({ store, port, webRoot });
    },
    closePages,
    async close() {
      await closePages();
      await server.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
      expect(complaints).toEqual([]);
    },
  };
}

export const chart = (page: Page, id: string) => page.locator(`[data-chart="${id}"]`);

/** Points that the lines of a chart hold, as the page counts them while drawing. */
export const pointsOn = async (page: Page, id: string) => Number(await chart(page, id).getAttribute("data-points"));

/**
 * Waits until a chart holds so many points. It is brought into view first: one below the fold is drawn once, with what has
 * arrived by then, and again only when it is looked at.
 */
export async function untilPoints(page: Page, id: string, least: number, timeout = 15_000): Promise<void> {
  await chart(page, id).scrollIntoViewIfNeeded();
  await page.waitForFunction(
    ([name, wanted]) => Number(document.querySelector(`[data-chart="${name}"]`)?.getAttribute("data-points")) >= wanted,
    [id, least] as const,
    { timeout },
  );
}
