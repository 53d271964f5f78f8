import { jsonWithNonFinite, writeFiles } from "../figures/write-figure.js";
import type { Measurement } from "./measure.js";
import { reportHtml } from "./report/html.js";
import { thumbnails } from "./report/thumbnails.js";

/** Writes `measure.html` and `measure.json` to a folder, both or neither. @returns their paths */
export async function writeMeasurement({ report, batch }: Measurement, folder: string): Promise<string[]> {
  const places = report.examples.map(({ place }) => place);
  const images = batch.images === null ? [] : await thumbnails(batch.images, places);
  return writeFiles(
    folder,
    new Map([
      ["measure.html", reportHtml(report, images)],
      ["measure.json", `${jsonWithNonFinite(report)}\n`],
    ]),
  );
}
