import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { StoreError, type StoreErrorCode } from "../errors.js";
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
  "bad-event": 400,
  "run-exists": 409,
  "run-busy": 409,
  "run-not-open": 409,
  "read-only": 403,
  "store-busy": 503,
  "store-closed": 503,
  "disk-full": 507,
};

/** Hono's last resort. What is not ours to explain is logged, and told apart from nothing else on the wire. */
export function answerError(error: Error, c: Context, log: (error: Error) => void): Response {
  if (error instanceof ApiError) return send(c, error.status, error);
  if (error instanceof StoreError) {
    const status = statusOf[error.code] ?? 500;
    if (status === 500) log(error);
    return send(c, status, error);
  }
  log(error);
  return send(c, 500, { code: "internal", message: "The server failed at this request. Its log says why." });
}

function send(c: Context, status: ContentfulStatusCode, { code, message, path }: ErrorMessage): Response {
  c.header("Cache-Control", "no-store");
  return c.json({ code, message, ...(path === undefined ? {} : { path }) } satisfies ErrorMessage, status);
}
