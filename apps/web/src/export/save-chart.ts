import { xLabels } from "../charts/axis-text.js";
import type { XAxis } from "../view/view-state.js";
import type { FigureOptions } from "./chart-figure.js";
import { chartCsv } from "./csv.js";
import { pngBlob, saveFile, svgBlob } from "./save.js";
import type { SaveFormat } from "./SaveMenu.js";

export interface SaveOptions extends Omit<FigureOptions, "xLabel"> {
  readonly xAxis: XAxis;
}

/** What the horizontal axis is called in a file of numbers. */
const xColumns: Readonly<Record<XAxis, string>> = {
  step: "step",
  epoch: "epoch",
  time: "seconds",
  "training-time": "learning_rate_times_step",
};

/** Saves a chart as it is on the screen: the same runs, lines, stretch, scales and theme. */
export async function saveChart(format: SaveFormat, { xAxis, ...options }: SaveOptions): Promise<void> {
  const name = `sedge-${options.definition.id}.${format}`;
  if (format === "csv") {
    const text = chartCsv(options.lines, xColumns[xAxis], options.content.xDomain);
    return saveFile(name, new Blob([text], { type: "text/csv" }));
  }
  const { chartFigure } = await import("./chart-figure.js");
  const figure = chartFigure({ ...options, xLabel: xLabels[xAxis] });
  saveFile(name, format === "svg" ? svgBlob(figure) : await pngBlob(figure));
}
