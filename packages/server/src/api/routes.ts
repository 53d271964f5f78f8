import type { Context, Handler, Hono } from "hono";
import type { RunStore } from "../store/store.js";
import { version } from "../version.js";
import { ApiError } from "./errors.js";
import { limitBody } from "./requests.js";
import { matchesTag } from "./static-files.js";

type Handlers = Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Handler>>;

/**
 * Adds a path with the methods it has; others are answered 405 with those in `Allow`.
 *
 * @param largestBody  Bytes. Default 64 KiB.
 */
export function route(app: Hono, path: string, handlers: Handlers, largestBody?: number): void {
  const methods = Object.keys(handlers);
  const limit = limitBody(largestBody);
  for (const [method, handler] of Object.entries(handlers)) app.on(method, path, limit, handler);
  app.all(path, (c) => {
    c.header("Allow", methods.map((method) => (method === "GET" ? "GET, HEAD" : method)).join(", "));
    const message = `${c.req.method} ${c.req.path}: expected ${methods.join(" or ")}.`;
    throw new ApiError(405, "method-not-allowed", message);
  });
}

/**
 * An answer is a function of the request and of the store's events, so the number of the last event is its tag: a
 * client that has asked before is told in a few bytes that nothing has changed.
 */
export function answerUnlessKnown(c: Context, store: RunStore, answer: () => string): Response {
  // The death of a writer is an event once it has been noticed.
  if (!store.readOnly) store.markInterrupted();
  const tag = `W/"${store.identity.slice(0, 12)}-${store.cursor()}-${version}"`;
  c.header("Cache-Control", "no-cache");
  if (!store.readOnly) {
    c.header("ETag", tag);
    if (matchesTag(c.req.header("if-none-match"), tag)) return c.body(null, 304);
  }
  return c.body(answer(), 200, { "Content-Type": "application/json" });
}
