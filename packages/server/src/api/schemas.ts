import { z } from "zod";
import { fewestPoints } from "../store/downsample.js";

/**
 * Every message of the API. The dashboard takes the types from here and nothing else: at run time it does not depend
 * on this package.
 */

/** A number, or a string where JSON has none: `Number(…)` of either is the number. */
export const wireNumberSchema = z
  .union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])])
  .describe('A number; NaN and the infinities are the strings "NaN", "Infinity", "-Infinity"');

const timeSchema = z.number().describe("Milliseconds since the epoch");
const cursorSchema = z.int().min(0).describe("Number of an event in the one sequence that all runs of a store share");

export const verdictSchema = z
  .object({
    state: z.enum(["diverged", "past-edge", "at-edge", "inside", "well-inside", "unknown"]),
    binding: z.enum(["deterministic", "stochastic"]).nullable().describe("The edge nearer to being crossed"),
    text: z.string().describe("One sentence for people"),
  })
  .describe("Where the run stands between the edges, from what was measured last");

export const runSummarySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(["running", "finished", "diverged", "failed", "interrupted"]),
    startedAt: timeSchema,
    finishedAt: timeSchema.nullable(),
    step: z.int().min(0).describe("Of the last event"),
    steps: z.int().min(0).describe("Optimiser updates planned"),
    config: z.record(z.string(), z.unknown()),
    model: z.object({ paramCount: z.number(), description: z.string() }),
    message: z.string().nullable(),
    tags: z.array(z.string()).describe("In alphabetical order"),
    latest: z.record(z.string(), wireNumberSchema).describe("The last value of each metric"),
    verdict: verdictSchema,
    cursor: cursorSchema.describe("Number of the run's last event"),
  })
  .describe("A run as it stands");

export const healthSchema = z
  .object({
    status: z.literal("ok"),
    version: z.string(),
    store: z.string().describe("Random, made with the store: another value means another store"),
    cursor: cursorSchema,
  })
  .describe("The server answers and can read its store");

export const runListSchema = z
  .object({ runs: z.array(runSummarySchema), cursor: cursorSchema })
  .describe("Newest first");
export const runAnswerSchema = z.object({ run: runSummarySchema });

export const seriesSchema = z
  .object({ steps: z.array(z.int()), times: z.array(timeSchema), values: z.array(wireNumberSchema) })
  .describe("One metric in order of step; three arrays of one length");

export const runMetricsSchema = z.object({
  runId: z.string(),
  cursor: cursorSchema.describe("Number of the run's last event in this answer: those after it are news"),
  series: z.record(z.string(), seriesSchema),
});

export const manyMetricsSchema = z.object({
  runs: z.record(z.string(), runMetricsSchema.omit({ runId: true })).describe("By the full id of the run"),
});

export const errorSchema = z
  .object({
    code: z.string().describe("Stable; made for programs"),
    message: z.string().describe("Made for people"),
    path: z.string().optional().describe("The parameter or field that is at fault"),
  })
  .describe("What went wrong");

/** What a client sends to change a run's tags, and gets back as they are then. */
export const tagsSchema = z.strictObject({ tags: z.array(z.string().max(64)).max(64) });

/** Data of the stream's `hello`: where it starts. */
export const helloSchema = z.object({
  cursor: cursorSchema,
  reset: z
    .literal(true)
    .optional()
    .describe("The cursor asked for is not of this store: what the client knows is void"),
});
/** Data of the stream's `metrics`: one event. */
export const metricsEventSchema = z.object({
  runId: z.string(),
  time: timeSchema,
  step: z.int().min(0),
  values: z.record(z.string(), wireNumberSchema),
});
/** Data of the stream's `recorded`: something beyond metrics is there to be read. */
export const recordedEventSchema = z.object({
  runId: z.string(),
  time: timeSchema,
  step: z.int().min(0),
  what: z.array(z.enum(["probe", "spectrum", "advice", "artifact"])),
  kinds: z.array(z.string()).optional().describe("Of the probes, spectra and advice"),
});
/** Data of the stream's `run-deleted`. */
export const runDeletedEventSchema = z.object({ runId: z.string(), time: timeSchema });

/** Words separated by commas. */
export const listSchema = z.string().transform((text) => text.split(",").filter((part) => part !== ""));

const pointsSchema = z.coerce.number<string>().int().min(fewestPoints).max(1_000_000);

export const metricsQuerySchema = z.strictObject({
  keys: listSchema.optional().describe("Metrics wanted, separated by commas; without it all"),
  afterStep: z.coerce.number<string>().int().optional().describe("Only points of later steps"),
  points: pointsSchema.optional().describe("At most so many points of each metric, extremes and gaps kept"),
});
export const manyMetricsQuerySchema = metricsQuerySchema.extend({
  runs: listSchema.describe("Ids of runs, separated by commas; one that does not exist is left out of the answer"),
});
export const eventsQuerySchema = z.strictObject({
  after: z.coerce.number<string>().int().min(0).optional().describe("Only events with a larger number"),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type RunSummaryMessage = z.infer<typeof runSummarySchema>;
export type HealthMessage = z.infer<typeof healthSchema>;
export type RunListMessage = z.infer<typeof runListSchema>;
export type RunMessage = z.infer<typeof runAnswerSchema>;
export type SeriesMessage = z.infer<typeof seriesSchema>;
export type RunMetricsMessage = z.infer<typeof runMetricsSchema>;
export type ManyMetricsMessage = z.infer<typeof manyMetricsSchema>;
export type ErrorMessage = z.infer<typeof errorSchema>;
export type TagsMessage = z.infer<typeof tagsSchema>;
export type HelloMessage = z.infer<typeof helloSchema>;
export type MetricsEventMessage = z.infer<typeof metricsEventSchema>;
export type RunDeletedMessage = z.infer<typeof runDeletedEventSchema>;
