import type { RunStatus } from "@sedge/lab";
import type { RunOrigin, RunSummary } from "../../store/events.js";
import type { Experiment } from "../../store/experiments.js";
import { toWireNumber } from "../../store/non-finite-json.js";

/** What MLflow knows of a run beside what Sedge does: the details of its origin. */
export interface MlflowDetails {
  readonly experimentId: number;
  readonly userId: string;
  readonly tags: Readonly<Record<string, string>>;
}

const noDetails: MlflowDetails = { experimentId: 0, userId: "", tags: {} };

/** Runs that did not come by MLflow are of its default experiment. */
export const mlflowDetails = (origin: RunOrigin | null): MlflowDetails =>
  origin?.source === "mlflow" ? { ...noDetails, ...(origin.details as Partial<MlflowDetails>) } : noDetails;

const statusOf: Record<RunStatus, string> = {
  running: "RUNNING",
  finished: "FINISHED",
  failed: "FAILED",
  diverged: "FAILED",
  interrupted: "KILLED",
};

const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

export function experimentMessage({ id, name, createdAt, tags }: Experiment) {
  return {
    experiment_id: String(id),
    name,
    artifact_location: `mlflow-artifacts:/${id}`,
    lifecycle_stage: "active",
    creation_time: createdAt,
    last_update_time: createdAt,
    tags: pairs(tags),
  };
}

export function runInfoMessage(run: RunSummary, { experimentId, userId }: MlflowDetails) {
  return {
    run_id: run.id,
    run_uuid: run.id,
    run_name: run.name,
    experiment_id: String(experimentId),
    user_id: userId,
    status: statusOf[run.status],
    start_time: Math.floor(run.startedAt),
    ...(run.finishedAt === null ? {} : { end_time: Math.floor(run.finishedAt) }),
    artifact_uri: `mlflow-artifacts:/${experimentId}/${run.id}/artifacts`,
    lifecycle_stage: "active",
  };
}

/** Settings as MLflow's parameters: text by path. */
export function paramsOf(run: RunSummary): Record<string, string> {
  const text = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  return Object.fromEntries(Object.entries(run.config).map(([key, value]) => [key, text(value)]));
}

export function mlflowRunMessage(run: RunSummary, details: MlflowDetails) {
  const timestamp = Math.floor(run.finishedAt ?? run.startedAt);
  const metrics = Object.entries(run.latest).map(([key, value]) => {
    return { key, value: toWireNumber(value), timestamp, step: run.step };
  });
  return {
    info: runInfoMessage(run, details),
    data: { metrics, params: pairs(paramsOf(run)), tags: pairs({ "mlflow.runName": run.name, ...details.tags }) },
    inputs: {},
  };
}
