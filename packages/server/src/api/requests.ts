import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { ApiError } from "./errors.js";

const usualBody = 64 * 1024;

/** Refuses larger bodies before reading them to the end. */
export function limitBody(largest = usualBody): MiddlewareHandler {
  const refuse = (): never => {
    throw new ApiError(413, "too-large", `The body may have at most ${largest} bytes.`);
  };
  const counted = bodyLimit({ maxSize: largest, onError: refuse });
  return (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    // Node holds a client to the length that it states. Counting would make a web stream of the body, which costs more than
    // all else that is done for a post of metrics.
    const stated = c.req.header("content-length");
    if (stated === undefined || c.req.header("transfer-encoding") !== undefined) return counted(c, next);
    return Number(stated) > largest ? refuse() : next();
  };
}

/** @throws ApiError 415 where the body is not of one of the types */
export function requireType(c: Context, types: readonly string[]): string {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && types.includes(type)) return type;
  const message = `expected Content-Type ${types.join(" or ")}, got ${type ?? "none"}`;
  throw new ApiError(415, "bad-content-type", message);
}

/**
 * The query of a request by its schema.
 *
 * @throws ApiError 400 naming the first parameter at fault.
 */
export function parseQuery<T extends z.ZodType>(c: Context, schema: T): z.output<T> {
  const parsed = schema.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.code === "unrecognized_keys" ? issue.keys[0]! : issue.path.join(".");
  const message =
    issue.code === "unrecognized_keys"
      ? `there is no parameter ${path} here`
      : `${path}: ${issue.message}, got ${JSON.stringify(c.req.query(path))}`;
  throw new ApiError(400, "bad-request", message, path);
}

/**
 * The JSON body of a request by its schema.
 *
 * @throws ApiError 415 for another content type, 400 for what is not JSON, or naming the first field at fault.
 */
export async function parseBody<T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> {
  requireType(c, ["application/json"]);
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, "bad-request", "the body is not JSON");
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])].join(".");
  throw new ApiError(400, "bad-request", `${path || "the body"}: ${issue.message}`, path || undefined);
}
