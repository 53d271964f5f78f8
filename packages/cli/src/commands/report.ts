import { existsSync } from "node:fs";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { writeOutput } from "../output/output-folder.js";
import type { Finish } from "../program.js";
import { findBrowser } from "../find-browser.js";
import { printPdf } from "../report/print-pdf.js";
import { reportData } from "../report/report-data.js";
import { reportHtml } from "../report/report-html.js";
import { addStoreOption, withStore } from "../store-option.js";

interface ReportOptions {
  readonly store: string;
  readonly out?: string;
  readonly pdf?: boolean;
}

/** `sedge report RUN|SWEEP`: one page with figures, tables, settings and how to do it again. */
export function defineReport(command: Command, io: Io, finish: Finish): void {
  command.argument("<run>", "a run's id, the beginning of one, or its name; or a sweep's name");
  addStoreOption(command)
    .option("--out <file>", "where to (default: report-NAME.html in the working directory)")
    .option("--pdf", "print it as well, beside it, with Chromium, Chrome or Edge")
    .addHelpText("after", helpText)
    .action(async (given: string, { store: folder, out, pdf }: ReportOptions) => {
      const report = await withStore(folder, { readOnly: true }, (store) => reportData(store, given));
      const page = out ?? `report-${fileName(report.title)}.html`;
      writeOutput(page, reportHtml(report));
      io.print(`Wrote ${page}: ${report.runs.length === 1 ? "1 run" : `${report.runs.length} runs`}.`);
      if (pdf !== true) return;
      const browser = findBrowser();
      if (browser === null) {
        io.note("No PDF: found no Chromium, Chrome or Edge. Any browser prints the page.");
        return finish(exitCodes.failed);
      }
      const file = `${page.replace(/\.html?$/i, "")}.pdf`;
      io.note(`Printing with ${browser} …`);
      await printPdf(browser, page, file, io.interrupted);
      if (!existsSync(file)) throw new Error(`${browser} ended without writing ${file}.`);
      io.print(`Wrote ${file}.`);
    });
}

/** A title as a file's name: letters and digits, joined by dashes. */
const fileName = (title: string): string =>
  title
    .replace(/[^\p{L}\p{N}.]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 80) || "run";

const helpText = `
The page needs nothing else: figures, tables, settings, environment, and the commands that train it again. Its numbers are
inside as JSON.

Examples:
  sedge report 2q8v
  sedge report "η = 0.01" --out eta.html --pdf
  sedge report my-sweep`;
