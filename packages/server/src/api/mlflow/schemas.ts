import { z } from "zod";
import { anyNumberSchema } from "../../ingest/lenient-json.js";

/**
 * Requests of MLflow's clients, mlflow/protos/service.proto in JSON. protobuf's JSON has 64-bit integers as text, and clients
 * of different versions either way; fields that are not known here are of newer versions and are ignored, as MLflow's server does.
 */
const integer = z.coerce.number().int();
const time = integer.min(0);
const key = z.string().min(1).max(250);
const pair = z.object({ key, value: z.string().max(10_000).default("") });
const runId = { run_id: z.string().min(1).optional(), run_uuid: z.string().min(1).optional() };
const metric = z.object({
  key,
  value: z.union([
    anyNumberSchema,
    z
      .string()
      .regex(/^-?[\d.]+(e[+-]?\d+)?$/i)
      .transform(Number),
  ]),
  timestamp: time,
  step: integer.default(0),
});
const page = {
  max_results: integer.min(1).max(50_000).default(1000),
  page_token: z.string().regex(/^\d*$/, "expected one that this server gave").default(""),
};

export const createExperimentSchema = z.object({ name: z.string().min(1).max(500), tags: z.array(pair).default([]) });
export const experimentIdSchema = z.object({ experiment_id: z.string().regex(/^\d{1,15}$/, "expected a number") });
export const experimentNameSchema = z.object({ experiment_name: z.string() });
export const experimentTagSchema = experimentIdSchema.extend(pair.shape);
export const searchExperimentsSchema = z.object({
  ...page,
  filter: z.string().max(0, "is not supported here").default(""),
});

export const runIdSchema = z.object(runId);
export const listArtifactsSchema = runIdSchema.extend({ path: z.string().default("") });
export const createMlflowRunSchema = z.object({
  experiment_id: z
    .string()
    .regex(/^\d{1,15}$/, "expected a number")
    .default("0"),
  user_id: z.string().max(500).default(""),
  run_name: z.string().max(250).default(""),
  start_time: time.optional(),
  tags: z.array(pair).default([]),
});
export const updateMlflowRunSchema = z.object({
  ...runId,
  status: z.enum(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]).optional(),
  end_time: time.optional(),
  run_name: z.string().max(250).optional(),
});
export const searchRunsSchema = z.object({
  ...page,
  experiment_ids: z.array(z.string()).default([]),
  filter: z.string().max(6000).default(""),
  run_view_type: z.enum(["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]).default("ACTIVE_ONLY"),
  order_by: z.array(z.string().max(300)).max(8).default([]),
});

export const logMetricSchema = z.object({ ...runId, ...metric.shape });
export const logParamSchema = z.object({ ...runId, ...pair.shape });
export const setRunTagSchema = z.object({ ...runId, ...pair.shape });
export const deleteRunTagSchema = z.object({ ...runId, key });
export const logBatchSchema = z.object({
  ...runId,
  metrics: z.array(metric).max(10_000).default([]),
  params: z.array(pair).max(1000).default([]),
  tags: z.array(pair).max(1000).default([]),
});
export const metricHistorySchema = z.object({ ...runId, metric_key: key, ...page });

export type MlflowMetric = z.output<typeof metric>;
