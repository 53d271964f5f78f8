import { z } from "zod";
import { IngestError } from "../errors.js";
import { anyNumberSchema, parseAs, parseLenientJson } from "./lenient-json.js";
import type { RemoteMetrics } from "./remote-runs.js";

/** Lines of one post, and metrics of one line. */
const mostLines = 10_000;
const mostValues = 1000;

export const metricLineSchema = z
  .strictObject({
    step: z.int().min(0),
    time: z.number().optional().describe("Milliseconds since the epoch; the server's clock without it"),
    values: z
      .record(z.string().min(1).max(250), anyNumberSchema)
      .refine((values) => Object.keys(values).length <= mostValues, `expected at most ${mostValues} metrics`)
      .describe("By metric path"),
    sequence: z
      .int()
      .min(1)
      .optional()
      .describe("1, 2, 3, … of this sender's lines of this run. One that is stored already is skipped"),
  })
  .describe("One line of the body");

/**
 * Metrics as JSON lines: one object a line, empty lines ignored.
 *
 * @param now  For lines without a time.
 * @throws IngestError naming the line and the field at fault
 */
export function parseMetricLines(text: string, now: number): RemoteMetrics[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > mostLines) {
    throw new IngestError("too-large", `expected at most ${mostLines} lines in one post, got ${lines.length}`);
  }
  return lines.map((line, i) => {
    const place = `line ${i + 1}`;
    const { time = now, ...rest } = parseAs(metricLineSchema, parseLenientJson(line, place), place);
    return { time, ...rest };
  });
}
