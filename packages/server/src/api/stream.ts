import type { Context } from "hono";
import { ApiError } from "./errors.js";
import type { EventFeed } from "./feed.js";
import { parseQuery } from "./requests.js";
import { eventsQuerySchema, type HelloMessage } from "./schemas.js";

export interface StreamOptions {
  /** Milliseconds of silence after which a comment is sent, so that nobody between takes the connection for dead. */
  readonly heartbeat: number;
  /** Ends all streams. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two accounts of how a run stands. */
const progressInterval = 250;
/** Milliseconds after which a browser that lost the stream asks again. */
const retry = 1000;
const mostStreams = 256;
const headers = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

/**
 * Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * Each message's `id` is its event's number, so a client that comes back with Last-Event-ID goes on exactly where it
 * was, whatever happened in between: to the connection, to this process. What a client asks for is read from the store
 * at the client's own pace; nothing is queued for it.
 */
export function eventStream(feed: EventFeed, { heartbeat, signal }: StreamOptions) {
  let streams = 0;
  return (c: Context): Response => {
    if (streams >= mostStreams) {
      throw new ApiError(503, "too-many-streams", `There are ${mostStreams} open streams already. Close some.`);
    }
    const newest = feed.cursor();
    const asked = startingPoint(c);
    const reset = asked !== null && asked > newest;
    let cursor = asked === null || reset ? newest : asked;
    let opening = `retry: ${retry}\n\n`;
    if (asked === null || reset) {
      const hello: HelloMessage = reset ? { cursor, reset } : { cursor };
      opening += `id: ${cursor}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`;
    }

    const cancelled = new AbortController();
    const ended = AbortSignal.any([signal, cancelled.signal]);
    const encoder = new TextEncoder();
    const moved = new Set<string>();
    let lastProgress = -Infinity;
    let lastSent = performance.now();

    const takeProgress = () => {
      if (moved.size === 0 || performance.now() - lastProgress < progressInterval) return "";
      const text = feed.progress(moved, cursor);
      moved.clear();
      // At the same moments for all streams, which then share the work.
      lastProgress = Math.floor(performance.now() / progressInterval) * progressInterval;
      return text;
    };
    const nextText = async (): Promise<string | null> => {
      while (!ended.aborted) {
        const batch = feed.batchAfter(cursor);
        if (batch !== null) {
          cursor = batch.cursor;
          for (const runId of batch.runs) moved.add(runId);
        }
        const text = (batch?.text ?? "") + takeProgress();
        if (text !== "") return text;
        const silence = heartbeat - (performance.now() - lastSent);
        if (silence <= 0) return ": still here\n\n";
        const untilProgress = moved.size === 0 ? Infinity : lastProgress + progressInterval - performance.now();
        await feed.waitBeyond(cursor, Math.max(1, Math.min(silence, untilProgress)), ended);
      }
      return null;
    };

    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    streams++;
    const release = () => {
      if (!cancelled.signal.aborted) streams--;
      cancelled.abort();
    };
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(encoder.encode(opening)),
        async pull(controller) {
          try {
            const text = await nextText();
            lastSent = performance.now();
            if (text !== null) return controller.enqueue(encoder.encode(text));
            release();
            controller.close();
          } catch (error) {
            release();
            controller.error(error);
          }
        },
        cancel: release,
      },
      { highWaterMark: 1 },
    );
    return c.body(body, 200, headers);
  };
}

/** Where the client left off. A browser's header outranks the address, which stays as it was at the first request. */
function startingPoint(c: Context): number | null {
  const { after } = parseQuery(c, eventsQuerySchema);
  const header = c.req.header("last-event-id");
  if (header === undefined || header === "") return after ?? null;
  if (!/^\d{1,15}$/.test(header)) {
    throw new ApiError(
      400,
      "bad-request",
      `Last-Event-ID: expected a number, got ${JSON.stringify(header)}`,
      "Last-Event-ID",
    );
  }
  return Number(header);
}
