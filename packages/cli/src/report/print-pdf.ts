import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** Prints a page into a PDF file, without a network or anything of the user's own browser profile. */
export async function printPdf(browser: string, page: string, pdf: string, signal?: AbortSignal): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "sedge-print-"));
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // which Chromium refuses to do without for root
  try {
    await promisify(execFile)(
      browser,
      [
        ...root,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        `--user-data-dir=${profile}`,
        "--no-pdf-header-footer",
        `--print-to-pdf=${resolve(pdf)}`,
        pathToFileURL(resolve(page)).href,
      ],
      { timeout: 60_000, ...(signal && { signal }) },
    );
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
