import { z } from "zod";
import { toWireNumber } from "../../store/non-finite-json.js";
import { mlflowDetails, mlflowRunMessage } from "./messages.js";
import { method, type MlflowContext, type MlflowMethod } from "./method.js";
import { runIdOf } from "./runs.js";
import { metricHistorySchema, searchRunsSchema } from "./schemas.js";
import { parseFilter, parseOrder } from "./search.js";

/** Reading runs back. */
export function searchMethods({ store }: MlflowContext): Record<string, MlflowMethod> {
  return {
    "runs/search": method("POST", searchRunsSchema, (request) => {
      const { experiment_ids: experiments, max_results: most, page_token: token, run_view_type: view } = request;
      const fits = parseFilter(request.filter);
      const order = parseOrder(request.order_by);
      const wanted = new Set(experiments.map(Number));
      const found = (view === "DELETED_ONLY" ? [] : store.runs())
        .map((run) => ({ run, details: mlflowDetails(store.origin(run.id)) }))
        .filter((candidate) => wanted.has(candidate.details.experimentId) && fits(candidate))
        .sort(order);
      const start = Number(token);
      const end = start + most;
      return {
        runs: found.slice(start, end).map(({ run, details }) => mlflowRunMessage(run, details)),
        ...(end < found.length ? { next_page_token: String(end) } : {}),
      };
    }),
    // The client asks for models where it lists artifacts; there are none here.
    "logged-models/search": method("POST", z.object({}), () => ({ models: [] })),
    "metrics/get-history": method("GET", metricHistorySchema, (request) => {
      const { metric_key: key, max_results: most, page_token: token } = request;
      const series = store.metrics(runIdOf(request), { keys: [key] }).series[key];
      const start = Number(token);
      // A client that asks for no page gets all.
      const length = series?.steps.length ?? 0;
      const end = token === "" && most === 1000 ? length : Math.min(length, start + most);
      const metrics = Array.from({ length: Math.max(0, end - start) }, (_, i) => ({
        key,
        value: toWireNumber(series!.values[start + i]!),
        timestamp: Math.floor(series!.times[start + i]!),
        step: series!.steps[start + i]!,
      }));
      return { metrics, ...(end < length ? { next_page_token: String(end) } : {}) };
    }),
  };
}
