import { expect, test } from "vitest";
import { installedBrowser, launchBrowser } from "./chromium.js";

const origins = ["packaged", ...(installedBrowser() ? (["installed"] as const) : [])] as const;

/** Each browser draws a page: text has a width, a canvas has pixels. */
test.each(origins)("the %s browser renders", async (only) => {
  if (only === "packaged" && (process.platform !== "linux" || process.arch !== "x64")) return;
  const browser = await launchBrowser({ only });
  try {
    const page = await browser.newPage();
    await page.setContent("<title>here</title><span>λ</span><canvas width=2 height=2></canvas>");
    const seen = await page.evaluate(() => {
      const context = document.querySelector("canvas")!.getContext("2d")!;
      context.fillStyle = "rgb(1, 2, 3)";
      context.fillRect(0, 0, 2, 2);
      return {
        title: document.title,
        width: document.querySelector("span")!.getBoundingClientRect().width,
        number: new Intl.NumberFormat(navigator.language).format(0.5),
        pixel: [...context.getImageData(1, 1, 1, 1).data],
      };
    });
    expect(seen.title).toBe("here");
    expect(seen.width).toBeGreaterThan(0);
    expect(seen.number).toMatch(/^0.5$/);
    expect(seen.pixel).toEqual([1, 2, 3, 255]);
  } finally {
    await browser.close();
  }
});
