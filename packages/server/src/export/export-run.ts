import { parquetWriteBuffer } from "hyparquet-writer";
import { metricsText } from "../api/messages.js";
import { stringifyNonFinite } from "../store/non-finite-json.js";
import type { MetricsQuery } from "../store/reader.js";
import type { RunStore } from "../store/store.js";
import { version } from "../version.js";
import { metricsTable, type MetricsTable } from "./table.js";

export const exportFormats = ["csv", "json", "parquet"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/**
 * A run's metrics as a file's contents. Numbers are exact in every format:
 *
 * * `csv`: a row for each step, columns `step`, `time` (milliseconds since the epoch) and one for each metric. A metric
 *   that was not measured at a step is empty; `NaN`, `Infinity` and `-Infinity` stand for themselves.
 * * `json`: `{ run, series, probes, spectra, advice, artifacts }`, each as the HTTP API has it, the last three as strings;
 *   of artifacts their names and digests. Records are whole, whatever metrics were asked for.
 * * `parquet`: the table of `csv` with typed columns, null where not measured; the run's summary under the key
 *   `sedge.run` of the file's metadata.
 *
 * @throws StoreError `unknown-run`, `ambiguous-run`.
 */
export function exportRun(store: RunStore, given: string, format: ExportFormat, query: MetricsQuery = {}): Uint8Array {
  const metrics = store.metrics(given, query);
  switch (format) {
    case "csv":
      return new TextEncoder().encode(csv(metricsTable(metrics)));
    case "json": {
      const { series } = JSON.parse(metricsText(metrics)) as { series: unknown };
      return new TextEncoder().encode(
        `${stringifyNonFinite({ run: store.run(metrics.runId), series, ...recordsOf(store, metrics.runId) })}\n`,
      );
    }
    case "parquet":
      return parquet(metricsTable(metrics), stringifyNonFinite(store.run(metrics.runId)));
  }
}

function recordsOf(store: RunStore, run: string) {
  const all = { limit: -1 }; // SQLite: no limit
  return {
    probes: store.probes(run, all),
    spectra: store.spectra(run, all),
    advice: store.advice(run, all),
    artifacts: store.artifacts(run),
  };
}

function csv({ steps, times, columns }: MetricsTable): string {
  // RFC 4180; numbers never need quotes.
  const quote = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [["step", "time", ...columns.map(({ key }) => quote(key))].join(",")];
  for (let row = 0; row < steps.length; row++) {
    const values = columns.map(({ values }) => values[row] ?? "");
    lines.push([steps[row], times[row], ...values].join(","));
  }
  return `${lines.join("\n")}\n`;
}

function parquet({ steps, times, columns }: MetricsTable, run: string): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "step", data: BigInt64Array.from(steps, BigInt), type: "INT64", nullable: false },
      { name: "time", data: Array.from(times, (time) => new Date(time)), type: "TIMESTAMP", nullable: false },
      // Readers skip parts of a file by their columns' bounds, and NaN has no place in an order.
      ...columns.map(({ key, values }) => ({
        name: key,
        data: [...values],
        type: "DOUBLE" as const,
        statistics: values.every((value) => !Number.isNaN(value)),
      })),
    ],
    createdBy: `sedge ${version}`,
    kvMetadata: [{ key: "sedge.run", value: run }],
  });
  return new Uint8Array(buffer);
}
