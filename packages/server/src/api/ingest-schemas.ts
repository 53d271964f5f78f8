import { z } from "zod";
import { wireNumberSchema } from "./schemas.js";

const timeSchema = z.number().describe("Milliseconds since the epoch; the server's clock without it");

export const newRunSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "expected 1 to 64 letters, digits, _ or -")
      .optional()
      .describe("The server makes one without it. With one, sending again is safe: the run that is there goes on"),
    name: z.string().min(1).max(250).optional(),
    config: z.record(z.string(), z.unknown()).default({}).describe("Settings, of any shape"),
    steps: z.int().min(0).default(0).describe("Optimiser updates planned; 0 if that is not known"),
    model: z
      .strictObject({ paramCount: z.number().min(0).default(0), description: z.string().max(1000).default("") })
      .default({ paramCount: 0, description: "" }),
    tags: z.array(z.string().max(64)).max(64).optional(),
    time: timeSchema.optional(),
    silence: z
      .number()
      .min(1)
      .max(7 * 24 * 3600)
      .optional()
      .describe("Seconds without a word after which the trainer is taken to be gone. Default 600"),
  })
  .describe("A run whose trainer is elsewhere");

export const metricsPostQuerySchema = z.strictObject({
  sender: z
    .string()
    .max(64)
    .default("")
    .describe("Who numbers the lines, where a run has several senders: each counts for itself"),
});

export const metricsTakenSchema = z.object({
  accepted: z.int().describe("Lines stored"),
  duplicates: z.int().describe("Lines that were stored before, and were skipped"),
  next: z.int().describe("The sequence number that the sender's next line should have"),
});

export const finishRunSchema = z
  .strictObject({
    status: z.enum(["finished", "diverged", "failed", "interrupted"]).default("finished"),
    step: z.int().min(0).optional().describe("The last that counts; that of the last metrics without it"),
    message: z.string().max(10_000).optional(),
    time: timeSchema.optional(),
  })
  .describe("How a run ended");

const estimateSchema = z.object({
  value: wireNumberSchema,
  standardError: wireNumberSchema,
  halfProbe: wireNumberSchema,
  low: wireNumberSchema.describe("Ends of a 95 % interval for all examples: the bias of a probe and chance together"),
  high: wireNumberSchema,
});
const criticalSchema = z
  .object({ value: wireNumberSchema, edge: z.enum(["stochastic", "deterministic", "none"]) })
  .nullable();

const measuredSchema = z.object({ value: wireNumberSchema, standardError: wireNumberSchema });
const adviceAnswerSchema = z
  .object({
    verdict: z.object({ state: z.string(), binding: z.string().nullable(), text: z.string() }),
    temper: z.enum(["too-bold", "balanced", "timid", "unknown"]),
    statements: z.array(
      z.object({
        about: z.string(),
        text: z.string(),
        confidence: z.enum(["sure", "likely", "unsure"]),
        numbers: z.record(z.string(), measuredSchema),
        change: z.object({ learningRate: z.number(), batchSize: z.number() }).partial().optional(),
      }),
    ),
    text: z.string().describe("All statements"),
  })
  .describe("What sedge advise and sedge measure say of the same numbers");

export const probeAnswerSchema = z
  .object({
    runId: z.string(),
    step: z.int(),
    time: z.number(),
    kind: z.enum(["ntk", "gradients", "trace"]),
    examples: z.int(),
    outputs: z.int(),
    samples: z.int(),
    settings: z.record(z.string(), z.unknown()),
    noiseKernel: z
      .object({
        exact: estimateSchema.optional(),
        diagonal: estimateSchema.optional(),
        highDim: estimateSchema.optional(),
        trace: estimateSchema.optional(),
      })
      .describe("K in the forms that the probe allows"),
    lambdaMax: wireNumberSchema.nullable().describe("Of the Gram divided by n"),
    deterministicRatio: wireNumberSchema.nullable().describe("η(λ_max + δ)/(2(1 + m)): 1 on the deterministic edge"),
    criticalLearningRate: criticalSchema,
    criticalBatchSize: criticalSchema,
    topExamples: z.array(z.object({ place: z.int(), weight: z.number() })),
    advice: adviceAnswerSchema,
    notes: z.array(z.string()),
  })
  .describe("What the probe comes to, as it has been stored");

export type MetricsTakenMessage = z.infer<typeof metricsTakenSchema>;
