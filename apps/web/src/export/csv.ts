import type { LegendLine } from "../charts/content.js";
import type { Domain } from "../charts/scale.js";

/**
 * The lines of a chart as RFC 4180 text, a row a measurement: what is on the chart, smoothed if it is, within the
 * horizontal stretch in view. Missing values are empty; infinite ones are `Infinity`, which NumPy, pandas and R read.
 *
 * @param xName  Of the horizontal axis, for the header.
 */
export function chartCsv(lines: readonly LegendLine[], xName: string, [from, to]: Domain): string {
  const rows = [["run", "run_id", "metric", xName, "value", "standard_error"]];
  for (const { run, measure, line } of lines) {
    line.x.forEach((x, i) => {
      if (!(x >= from && x <= to)) return;
      const error = line.errors?.[i] ?? NaN;
      rows.push([run.name, run.id, measure.key, numeral(x), numeral(line.values[i]!), numeral(error)]);
    });
  }
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

const numeral = (value: number) => (Number.isNaN(value) ? "" : String(value));

const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
