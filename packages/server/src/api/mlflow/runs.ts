import type { RunFinished } from "@sedge/lab";
import type { RemoteMetrics } from "../../ingest/remote-runs.js";
import type { RunSummary } from "../../store/events.js";
import { filesIn } from "./artifacts.js";
import { MlflowError, noModels, noSuchRun } from "./errors.js";
import { requireExperiment } from "./experiments.js";
import { mlflowDetails, mlflowRunMessage, paramsOf, runInfoMessage, type MlflowDetails } from "./messages.js";
import { method, type MlflowContext, type MlflowMethod } from "./method.js";
import {
  createMlflowRunSchema,
  deleteRunTagSchema,
  listArtifactsSchema,
  logBatchSchema,
  logMetricSchema,
  logParamSchema,
  runIdSchema,
  setRunTagSchema,
  updateMlflowRunSchema,
  type MlflowMetric,
} from "./schemas.js";
import { StepCounter } from "./steps.js";

const endOf: Record<"FINISHED" | "FAILED" | "KILLED", RunFinished["status"]> = {
  FINISHED: "finished",
  FAILED: "failed",
  KILLED: "interrupted",
};
const runNameTag = "mlflow.runName";

type Pairs = readonly { readonly key: string; readonly value: string }[];
const record = (pairs: Pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

/** @throws MlflowError where neither is given */
export function runIdOf({
  run_id: id,
  run_uuid: uuid,
}: {
  run_id?: string | undefined;
  run_uuid?: string | undefined;
}) {
  const given = id ?? uuid;
  if (given === undefined) throw new MlflowError("INVALID_PARAMETER_VALUE", "run_id: missing");
  return given;
}

export function runMethods(context: MlflowContext): Record<string, MlflowMethod> {
  const { store, runs, newRunId } = context;
  const steps = new StepCounter(store);

  /** MLflow means runs by their whole id. */
  const find = (id: string): { run: RunSummary; details: MlflowDetails } => {
    const run = store.run(id);
    if (run.id !== id) throw noSuchRun(id);
    return { run, details: mlflowDetails(store.origin(id)) };
  };

  /** What changes a run has to be of MLflow. */
  const findOwn: typeof find = (id) => {
    const found = find(id);
    if (store.origin(id)?.source === "mlflow") return found;
    throw new MlflowError("INVALID_STATE", `run ${id} did not come by MLflow and cannot be changed by it.`);
  };

  const logMetrics = async (id: string, metrics: readonly MlflowMetric[]): Promise<void> => {
    if (metrics.length === 0) return;
    findOwn(id);
    runs.heard(id);
    // What was logged together travels as one event.
    const events = new Map<string, RemoteMetrics & { values: Record<string, number> }>();
    for (const metric of metrics) {
      const { key, value, timestamp: time } = metric;
      const step = steps.stepFor(id, metric);
      const place = `${step} ${time}`;
      const event = events.get(place) ?? { step, time, values: {} };
      events.set(place, event);
      event.values[key] = value;
    }
    await runs.record(id, [...events.values()]);
  };

  const logParams = (id: string, pairs: Pairs): void => {
    if (pairs.length === 0) return;
    const { run } = findOwn(id);
    const known = paramsOf(run);
    for (const { key, value } of pairs) {
      if (!Object.hasOwn(known, key) || known[key] === value) continue;
      const message = `param ${JSON.stringify(key)} is ${JSON.stringify(known[key])} already and does not change.`;
      throw new MlflowError("INVALID_PARAMETER_VALUE", message);
    }
    if (pairs.every(({ key }) => Object.hasOwn(known, key))) return;
    store.update(id, { config: record(pairs) });
  };

  const changeTags = (id: string, change: (tags: Readonly<Record<string, string>>) => Record<string, string>): void => {
    const { run, details } = findOwn(id);
    const { [runNameTag]: name = run.name, ...tags } = change(details.tags);
    store.update(id, { name, originDetails: { ...details, tags } });
  };

  return {
    "runs/create": method("POST", createMlflowRunSchema, (request) => {
      const { experiment_id: experiment, user_id: userId, start_time: time = Date.now(), tags: pairs } = request;
      const { id: experimentId } = requireExperiment(context, experiment);
      const { [runNameTag]: tagged, ...tags } = record(pairs);
      const runId = newRunId();
      const details: MlflowDetails = { experimentId, userId, tags };
      runs.start(
        {
          runId,
          time,
          name: request.run_name || tagged || `run ${runId.slice(0, 8)}`,
          steps: 0,
          config: {},
          model: { paramCount: 0, description: "" },
        },
        { source: "mlflow", details: { ...details } },
      );
      return { run: mlflowRunMessage(store.run(runId), details) };
    }),
    "runs/get": method("GET", runIdSchema, (request) => {
      const { run, details } = find(runIdOf(request));
      return { run: mlflowRunMessage(run, details) };
    }),
    "runs/update": method("POST", updateMlflowRunSchema, (request) => {
      const id = runIdOf(request);
      const { run } = findOwn(id);
      const { status, end_time: time = Date.now(), run_name: name } = request;
      if (name !== undefined && name !== "" && name !== run.name) store.update(id, { name });
      if (status === "RUNNING" || status === "SCHEDULED") runs.reopen(id);
      else if (status !== undefined) {
        runs.finish(id, { status: endOf[status], time });
        steps.forget(id);
      }
      const after = find(id);
      return { run_info: runInfoMessage(after.run, after.details) };
    }),
    "runs/log-metric": method("POST", logMetricSchema, async ({ run_id, run_uuid, ...metric }) => {
      await logMetrics(runIdOf({ run_id, run_uuid }), [metric]);
      return {};
    }),
    "runs/log-parameter": method("POST", logParamSchema, ({ key, value, ...run }) => {
      logParams(runIdOf(run), [{ key, value }]);
      return {};
    }),
    "runs/set-tag": method("POST", setRunTagSchema, ({ key, value, ...run }) => {
      changeTags(runIdOf(run), (tags) => ({ ...tags, [key]: value }));
      return {};
    }),
    "runs/delete-tag": method("POST", deleteRunTagSchema, ({ key, ...run }) => {
      changeTags(runIdOf(run), (tags) => {
        if (Object.hasOwn(tags, key)) return Object.fromEntries(Object.entries(tags).filter(([name]) => name !== key));
        throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `The run has no tag ${JSON.stringify(key)}.`);
      });
      return {};
    }),
    "runs/log-batch": method("POST", logBatchSchema, async ({ metrics, params, tags, ...run }) => {
      const id = runIdOf(run);
      findOwn(id);
      // What can be refused comes first.
      logParams(id, params);
      await logMetrics(id, metrics);
      if (tags.length > 0) changeTags(id, (known) => ({ ...known, ...record(tags) }));
      return {};
    }),
    "artifacts/list": method("GET", listArtifactsSchema, ({ path, ...request }) => {
      const { run, details } = find(runIdOf(request));
      const files = filesIn(store.artifacts(run.id), path).map((file) => {
        return { ...file, path: path === "" ? file.path : `${path}/${file.path}` };
      });
      return { root_uri: runInfoMessage(run, details).artifact_uri, files };
    }),
    "runs/log-model": method("POST", runIdSchema, () => {
      throw noModels();
    }),
  };
}
