import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { IngestError, StoreError } from "../../errors.js";
import { statusOfError } from "../errors.js";

/** Codes of mlflow/protos/databricks.proto that clients act on, with the status that MLflow's server gives them. */
const statusOf = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  INVALID_STATE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  NOT_IMPLEMENTED: 501,
  REQUEST_LIMIT_EXCEEDED: 429,
  RESOURCE_LIMIT_EXCEEDED: 507,
  TEMPORARILY_UNAVAILABLE: 503,
  INTERNAL_ERROR: 500,
} as const satisfies Record<string, ContentfulStatusCode>;

export type MlflowErrorCode = keyof typeof statusOf;

export class MlflowError extends Error {
  override readonly name = "MlflowError";

  constructor(
    readonly code: MlflowErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Whether a request is one of an MLflow client, whatever comes of it. */
export const isMlflow = (path: string): boolean => /^\/api\/[23]\.0\//.test(path);

/** `{ error_code, message }`, as MLflow's clients read it. */
export function answerMlflowError(error: unknown, c: Context, log: (error: Error) => void): Response {
  const code = codeOf(error);
  if (code === "INTERNAL_ERROR") log(error instanceof Error ? error : new Error(String(error)));
  const message =
    code === "INTERNAL_ERROR" ? "The server failed at this request. Its log says why." : (error as Error).message;
  c.header("Cache-Control", "no-store");
  if (statusOf[code] === 429 || statusOf[code] === 503) c.header("Retry-After", "1");
  return c.json({ error_code: code, message }, statusOf[code]);
}

function codeOf(error: unknown): MlflowErrorCode {
  if (error instanceof MlflowError) return error.code;
  if (error instanceof StoreError && ["unknown-run", "ambiguous-run", "unknown-artifact"].includes(error.code)) {
    return "RESOURCE_DOES_NOT_EXIST";
  }
  if (error instanceof IngestError && ["run-ended", "run-foreign"].includes(error.code)) return "INVALID_STATE";
  const status = error instanceof Error ? statusOfError(error) : undefined;
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return "INVALID_PARAMETER_VALUE";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "ENDPOINT_NOT_FOUND";
    case 409:
      return "INVALID_STATE";
    case 429:
      return "REQUEST_LIMIT_EXCEEDED";
    case 503:
      return "TEMPORARILY_UNAVAILABLE";
    case 507:
      return "RESOURCE_LIMIT_EXCEEDED";
    default:
      return "INTERNAL_ERROR";
  }
}

export const noSuchRun = (id: string) =>
  new MlflowError("RESOURCE_DOES_NOT_EXIST", `No run has the id ${JSON.stringify(id)}.`);

export const noModels = () =>
  new MlflowError("NOT_IMPLEMENTED", "Sedge keeps no MLflow models: log the file as an artifact, of 16 MiB at most.");
