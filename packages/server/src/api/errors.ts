import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { IngestError, StoreError, type IngestErrorCode, type StoreErrorCode } from "../errors.js";
import type { ErrorMessage } from "./schemas.js";

/** A request that cannot be answered as asked. Thrown anywhere below a route, sent as `{ code, message, path? }`. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: ContentfulStatusCode,
    readonly code: string,
    message: string,
    readonly path?: string,
  ) {
    super(message);
  }
}

const statusOf: Partial<Record<StoreErrorCode, ContentfulStatusCode>> = {
  "unknown-run": 404,
  "ambiguous-run": 400,
  "unknown-artifact": 404,
  "bad-event": 400,
  "run-exists": 409,
  "run-busy": 409,
  "run-not-open": 409,
  "read-only": 403,
  "store-busy": 503,
  "store-closed": 503,
  "disk-full": 507,
};

const ingestStatusOf: Record<IngestErrorCode, ContentfulStatusCode> = {
  "bad-request": 400,
  "bad-gram": 422,
  "too-large": 413,
  "clock-skew": 400,
  "sequence-gap": 409,
  "run-ended": 409,
  "run-foreign": 409,
  "too-busy": 503,
  "probe-failed": 500,
};

/** The status of an error that is somebody's fault; undefined where it is ours. */
export function statusOfError(error: Error): ContentfulStatusCode | undefined {
  if (error instanceof ApiError) return error.status;
  if (error instanceof IngestError) return ingestStatusOf[error.code];
  return error instanceof StoreError ? statusOf[error.code] : undefined;
}

/** Hono's last resort. What is not ours to explain is logged, and told apart from nothing else on the wire. */
export function answerError(error: Error, c: Context, log: (error: Error) => void): Response {
  if (error instanceof ApiError || error instanceof IngestError || error instanceof StoreError) {
    const status = statusOfError(error) ?? 500;
    if (status === 500) log(error);
    return send(c, status, error);
  }
  log(error);
  return send(c, 500, { code: "internal", message: "The server failed at this request. Its log says why." });
}

function send(c: Context, status: ContentfulStatusCode, error: ErrorMessage): Response {
  const { code, message, path } = error;
  c.header("Cache-Control", "no-store");
  if (status === 429 || status === 503) c.header("Retry-After", "1");
  return c.json({ code, message, ...(path === undefined ? {} : { path }) } satisfies ErrorMessage, status);
}
