import type { Client } from "../api/client.js";
import { ApiError } from "../api/errors.js";
import { connectLive, type ConnectionState, type LiveOptions } from "../api/live.js";
import type { LiveEvent, RunSummary } from "../api/types.js";
import type { RunData } from "./run-data.js";

/** What the page shows before and beside the data. */
export interface FeedState {
  readonly connection: ConnectionState;
  /** Whether the list of runs has been read at least once. */
  readonly listed: boolean;
  /** Runs whose history is still being read. */
  readonly loading: number;
  /** The last read that failed, in words, until one succeeds. */
  readonly error: string | null;
}

export interface FeedOptions {
  readonly client: Client;
  readonly eventsUrl: URL;
  readonly data: RunData;
  readonly keys: readonly string[];
  /** Of those, the ones that a first look at many runs brings, one read after the other. Default all at once. */
  readonly glanceKeys?: readonly (readonly string[])[];
  /** Something changed in `data`; may be called many times a frame. */
  readonly onData: () => void;
  readonly onState: (state: FeedState) => void;
  /** A run has recorded something beyond metrics; null where the store is another one, or events may have been missed. */
  readonly onRecorded?: (runId: string | null) => void;
  readonly live?: Pick<LiveOptions, "fetch" | "firstWait" | "longestWait" | "silence">;
}

/** Runs whose histories travel in one answer, and the points of each series beyond which the server thins it out. */
const runsPerRead = 10;
const mostPoints = 10_000;
/**
 * With more runs than one read brings, a look at all of them comes first: so many points of each series are a twentieth
 * of the bytes, and show where a line goes.
 */
const glancePoints = 60;
const runsPerGlance = 100;

/**
 * Keeps `data` equal to the server's store.
 *
 * The stream is opened and the list asked for at once; histories follow, and whatever the stream brings meanwhile is
 * merged by step. The stream says from which event on it tells. Where that lies beyond the newest event that the list
 * knew of, something may have fallen between the two, and the list and the histories are read again: as a rule nothing
 * has, and the page need not wait for the stream. A later connection resumes with `Last-Event-ID`; a store that does
 * not know that place is another one (`reset`), and everything is read afresh.
 */
export function startFeed(options: FeedOptions): {
  retryNow(): void;
  close(): void;
} {
  const { client, eventsUrl, data, keys, glanceKeys = [keys], onData, onState, onRecorded, live = {} } = options;
  let state: FeedState = { connection: { kind: "connecting" }, listed: false, loading: 0, error: null };
  const update = (change: Partial<FeedState>) => onState((state = { ...state, ...change }));
  /** Runs whose history has been read or is asked for. */
  const asked = new Set<string>();
  let glances: { readonly runs: readonly string[]; readonly keys: readonly string[] }[] = [];
  let queue: string[] = [];
  let reading = false;
  /** Grows with every fresh start, so that answers to older questions are dropped. */
  let generation = 0;
  let listTimer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  /** Lists that are asked for and have not come. */
  let listing = 0;
  /** The newest event that the first list knew of; null until it has come. */
  let firstListed: number | null = null;
  /** Where the stream began; null until it has said so. */
  let streamStart: number | null = null;

  const want = (runs: readonly RunSummary[]) => {
    const fresh = runs.map(({ id }) => id).filter((id) => !asked.has(id));
    for (const id of fresh) asked.add(id);
    if (fresh.length > runsPerRead) {
      for (const some of glanceKeys) {
        for (let i = 0; i < fresh.length; i += runsPerGlance) {
          glances.push({ runs: fresh.slice(i, i + runsPerGlance), keys: some });
        }
      }
    }
    queue.push(...fresh);
    void readAll();
  };

  // One read at a time: the server has more to do than answer this page, and the stream must not wait behind it.
  const readAll = async () => {
    if (reading) return;
    reading = true;
    while (!closed && glances.length + queue.length > 0) {
      const glance = glances.shift();
      if (glance !== undefined) await read(glance.runs, glance.keys, glancePoints);
      else await read(queue.splice(0, runsPerRead), keys, mostPoints);
    }
    reading = false;
    update({ loading: 0 });
  };

  const read = async (runs: readonly string[], wanted: readonly string[], points: number) => {
    const then = generation;
    update({ loading: queue.length + (points === mostPoints ? runs.length : 0) });
    try {
      const histories = await client.metrics({ runs, keys: wanted, points });
      if (then !== generation) return;
      data.merge(histories);
      onData();
      update({ error: null });
    } catch (error) {
      // The next listing asks again.
      if (then === generation && points === mostPoints) for (const id of runs) asked.delete(id);
      fail(error);
    }
  };

  const list = async () => {
    clearTimeout(listTimer);
    const then = generation;
    listing++;
    try {
      const runs = await client.runs();
      if (then !== generation || closed) return;
      for (const run of runs) data.setRun(run);
      update({ listed: true, error: null });
      onData();
      firstListed ??= runs.reduce((newest, { cursor }) => Math.max(newest, cursor), 0);
      // Newest first: what is being trained now is looked at first.
      want(runs.sort((a, b) => b.startedAt - a.startedAt));
      joinStream();
    } catch (error) {
      fail(error);
    } finally {
      listing--;
    }
  };

  const fail = (error: unknown) => {
    if (closed) return;
    update({ error: error instanceof ApiError ? error.message : String(error) });
    clearTimeout(listTimer);
    listTimer = setTimeout(() => void list(), live.longestWait ?? 5000);
  };

  /** Everything is asked for again. */
  const readAgain = () => {
    generation++;
    asked.clear();
    glances = [];
    queue = [];
    void list();
  };

  const startAfresh = () => {
    onRecorded?.(null);
    data.clear();
    readAgain();
  };

  /** Once, when both the first list and the stream's start are known. */
  const joinStream = () => {
    if (firstListed === null || streamStart === null) return;
    if (streamStart > firstListed) readAgain();
    streamStart = -1;
  };

  const onEvents = (events: readonly LiveEvent[]) => {
    for (const event of events) {
      if (event.type === "hello") {
        if (event.reset) startAfresh();
        else {
          streamStart ??= event.cursor;
          if (firstListed === null && listing === 0) void list();
          else joinStream();
        }
        continue;
      }
      data.apply(event);
      if (event.type === "run") want([event.run]);
      if (event.type === "recorded") onRecorded?.(event.recorded.runId);
    }
    onData();
  };

  let connectedBefore = false;
  const connection = connectLive({
    ...live,
    url: eventsUrl,
    onEvents,
    onState(connectionState) {
      update({ connection: connectionState });
      if (connectionState.kind !== "live") return;
      if (connectedBefore) void list();
      connectedBefore = true;
    },
  });

  void list();
  return {
    retryNow() {
      connection.retryNow();
      if (state.error !== null) void list();
    },
    close() {
      closed = true;
      generation++;
      clearTimeout(listTimer);
      connection.close();
    },
  };
}
