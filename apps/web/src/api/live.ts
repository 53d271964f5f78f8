import { decodeEvent } from "./decode.js";
import { createEventStreamParser, type ServerSentEvent } from "./event-stream.js";
import type { LiveEvent } from "./types.js";

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Lost; the next attempt is at `retryAt`, milliseconds since the epoch. */
  | { readonly kind: "waiting"; readonly retryAt: number };

export interface LiveOptions {
  readonly url: URL;
  /** All events of one network read, in order. */
  readonly onEvents: (events: readonly LiveEvent[]) => void;
  readonly onState: (state: ConnectionState) => void;
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds before the first attempt after a loss; doubles up to `longestWait` while attempts fail. */
  readonly firstWait?: number;
  readonly longestWait?: number;
  /** A stream that stays silent for so long, heartbeats included, counts as lost. Milliseconds. */
  readonly silence?: number;
}

export interface LiveConnection {
  /** Try at once instead of waiting. */
  retryNow(): void;
  close(): void;
}

/**
 * The live stream, kept alive: after a loss it connects again with `Last-Event-ID`, so the server resumes where it was
 * and no event is missed. Reads the stream itself rather than through `EventSource`, which hides heartbeats (a dead
 * connection would look alive), gives up for good on an HTTP error, and hands over one event a task.
 */
export function connectLive(options: LiveOptions): LiveConnection {
  const { url, onEvents, onState, firstWait = 250, longestWait = 5000, silence = 45_000 } = options;
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  let lastId: string | null = null;
  let failures = 0;
  let closed = false;
  let attempt: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = async () => {
    clearTimeout(timer);
    const controller = new AbortController();
    attempt = controller;
    onState({ kind: "connecting" });
    try {
      await read(controller);
    } catch {
      // Refused, cut off, silent, not an event stream: all mean the same here, try again.
    }
    controller.abort();
    if (closed || attempt !== controller) return;
    const wait = Math.min(longestWait, firstWait * 2 ** failures);
    failures++;
    onState({ kind: "waiting", retryAt: Date.now() + wait });
    timer = setTimeout(() => void open(), wait);
  };

  const read = async (controller: AbortController) => {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId !== null) headers["last-event-id"] = lastId;
    let watchdog = setTimeout(() => controller.abort(), silence);
    try {
      const response = await fetch(url, { headers, signal: controller.signal, cache: "no-store" });
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
      if (!response.ok || !isStream || response.body === null) return;
      onState({ kind: "live" });
      const parse = createEventStreamParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || attempt !== controller) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => controller.abort(), silence);
        failures = 0;
        const received = parse(decoder.decode(value, { stream: true }));
        const events = received.map(decode).filter((event) => event !== null);
        if (events.length > 0) onEvents(events);
        // Only now: an event counts as seen once it has been handed over.
        lastId = newestId(received, events) ?? lastId;
      }
    } finally {
      clearTimeout(watchdog);
    }
  };

  void open();
  return {
    retryNow() {
      if (closed) return;
      attempt?.abort();
      attempt = null;
      void open();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      attempt?.abort();
    },
  };
}

/** An event that cannot be read is passed over: asking for it again would bring the same one, for ever. */
function decode({ type, data }: ServerSentEvent): LiveEvent | null {
  try {
    return decodeEvent(type, JSON.parse(data));
  } catch {
    return null;
  }
}

/** A `hello` without an id still says where the stream starts. */
function newestId(received: readonly ServerSentEvent[], events: readonly LiveEvent[]): string | null {
  const id = received.at(-1)?.id ?? null;
  if (id !== null) return id;
  const hello = events.find((event) => event.type === "hello");
  return hello === undefined ? null : String(hello.cursor);
}
