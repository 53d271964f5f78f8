import type { z } from "zod";
import type { RemoteRuns } from "../../ingest/remote-runs.js";
import type { RunStore } from "../../store/store.js";

/** A method of MLflow's service: the HTTP method, the schema of the request, and what answers it. */
export interface MlflowMethod<S extends z.ZodType = z.ZodType> {
  readonly http: "GET" | "POST";
  readonly schema: S;
  readonly answer: (request: z.output<S>) => object | Promise<object>;
}

export interface MlflowContext {
  readonly store: RunStore;
  readonly runs: RemoteRuns;
  /** 32 hexadecimal digits, as MLflow's own. */
  readonly newRunId: () => string;
}

export const method = <S extends z.ZodType>(
  http: "GET" | "POST",
  schema: S,
  answer: (request: z.output<S>) => object | Promise<object>,
): MlflowMethod => ({ http, schema, answer: answer as MlflowMethod["answer"] });
