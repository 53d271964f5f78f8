import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import type { RunEvent, RunStatus } from "../run/events.js";
import type { Sink } from "../run/sinks.js";

/**
 * The events of a run as lines of a file, so that any process on any machine that sees the folder can train it and any
 * other can follow. The file only ever grows: a reader that knows how many lines it has seen knows what is news.
 */
export interface RunLog extends Sink {
  /** How the run stands by its last event; undefined before the first. */
  readonly status: RunStatus | undefined;
}

/**
 * Opens a run's log to add to it. What a resumed run measures a second time, because its checkpoint was older than its
 * last lines, is there already and is not written again.
 */
export function openRunLog(path: string): RunLog {
  const file = openSync(path, "a+");
  const { events, bytes } = parseLines(readFileSync(path));
  ftruncateSync(file, bytes); // a line that the last process did not live to finish
  const known = new Set<string>();
  let status: RunStatus | undefined;
  const note = (event: RunEvent) => {
    status = statusAfter(event, status);
    for (const key of keysOf(event)) known.add(key);
  };
  events.forEach(note);
  let closed = false;
  return {
    get status() {
      return status;
    },
    write(given) {
      const event = withoutKnown(given, known);
      if (event === undefined) return;
      const line = Buffer.from(`${JSON.stringify(event, plain)}\n`);
      for (let done = 0; done < line.length;) done += writeSync(file, line, done);
      note(event);
    },
    flush: () => fdatasyncSync(file),
    close() {
      if (closed) return;
      closed = true;
      closeSync(file);
    },
  };
}

/** Follows a log from its beginning. */
export interface LogReader {
  /** Events that have come since the last call; none where there is no file yet. */
  next(): RunEvent[];
}

export function openLogReader(path: string): LogReader {
  let read = 0;
  return {
    next() {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size <= read) return [];
      const content = Buffer.alloc(size - read);
      const file = openSync(path, "r");
      try {
        const { events, bytes } = parseLines(content.subarray(0, readSync(file, content, 0, content.length, read)));
        read += bytes;
        return events;
      } finally {
        closeSync(file);
      }
    },
  };
}

/** How a run stands after an event. */
export function statusAfter(event: RunEvent, before: RunStatus | undefined): RunStatus | undefined {
  if (event.type === "run-started") return "running";
  return event.type === "run-finished" ? event.status : before;
}

/** Whether a run has nothing left to do. A failed one is tried again when the sweep is. */
export const isDone = (status: RunStatus | undefined): boolean => status === "finished" || status === "diverged";

function parseLines(content: Buffer): { events: RunEvent[]; bytes: number } {
  const bytes = content.lastIndexOf(10) + 1;
  const lines = content.toString("utf8", 0, bytes).split("\n");
  return { events: lines.filter(Boolean).map((line) => parseEvent(line)), bytes };
}

function parseEvent(line: string): RunEvent {
  const event = JSON.parse(line) as RunEvent;
  if (event.type !== "metrics") return event;
  // NaN and the infinities are no JSON; their names are, and `Number` reads them.
  const values = Object.entries(event.values).map(([key, value]): [string, number] => [key, Number(value)]);
  return { ...event, values: Object.fromEntries(values) };
}

const plain = (_: string, value: unknown): unknown => {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  const typed = ArrayBuffer.isView(value) && !(value instanceof DataView);
  return typed ? Array.from(value as unknown as ArrayLike<number>) : value;
};

function keysOf(event: RunEvent): string[] {
  if (event.type === "metrics") return Object.keys(event.values).map((key) => `${event.step} ${key}`);
  return event.type === "record" ? [`${event.step} record ${event.kind}`] : [];
}

function withoutKnown(event: RunEvent, known: ReadonlySet<string>): RunEvent | undefined {
  if (event.type === "record") return known.has(`${event.step} record ${event.kind}`) ? undefined : event;
  if (event.type !== "metrics") return event;
  const fresh = Object.entries(event.values).filter(([key]) => !known.has(`${event.step} ${key}`));
  return fresh.length === 0 ? undefined : { ...event, values: Object.fromEntries(fresh) };
}
