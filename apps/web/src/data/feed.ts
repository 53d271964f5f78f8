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
  /** Something changed in `data`; may be called many times a frame. */
  readonly onData: () => void;
  readonly onState: (state: FeedState) => void;
  readonly live?: Pick<LiveOptions, "fetch" | "firstWait" | "longestWait" | "silence">;
}

/** Histories read at a time: browsers hold six connections to a host, one of which is the stream. */
const concurrentReads = 4;

/**
 * Keeps `data` equal to the server's store.
 *
 * The stream is opened first; once it says where it starts, the list and the histories are read, and whatever arrives
 * meanwhile is merged by step. Nothing can fall between the two. A later connection resumes with `Last-Event-ID`; a
 * store that does not know that place is another one (`reset`), and everything is read afresh.
 */
export function startFeed({ client, eventsUrl, data, keys, onData, onState, live = {} }: FeedOptions): {
  retryNow(): void;
  close(): void;
} {
  let state: FeedState = { connection: { kind: "connecting" }, listed: false, loading: 0, error: null };
  const update = (change: Partial<FeedState>) => onState((state = { ...state, ...change }));
  const loaded = new Set<string>();
  const queue: string[] = [];
  let reading = 0;
  /** Grows with every fresh start, so that answers to older questions are dropped. */
  let generation = 0;
  let listTimer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const want = (run: RunSummary) => {
    if (loaded.has(run.id)) return;
    loaded.add(run.id);
    queue.push(run.id);
    void readNext();
  };

  const readNext = async () => {
    if (reading >= concurrentReads || queue.length === 0) return;
    const runId = queue.shift()!;
    const asked = generation;
    reading++;
    update({ loading: queue.length + reading });
    try {
      const columns = await client.metrics(runId, keys);
      if (asked === generation) {
        data.merge(runId, columns);
        onData();
      }
      update({ error: null });
    } catch (error) {
      if (asked === generation) loaded.delete(runId); // the next listing asks again
      fail(error);
    } finally {
      reading--;
      update({ loading: queue.length + reading });
      void readNext();
    }
  };

  const list = async () => {
    clearTimeout(listTimer);
    const asked = generation;
    try {
      const runs = await client.runs();
      if (asked !== generation || closed) return;
      for (const run of runs) data.setRun(run);
      update({ listed: true, error: null });
      onData();
      // Newest first: what is being trained now is looked at first.
      for (const run of runs.sort((a, b) => b.startedAt - a.startedAt)) want(run);
    } catch (error) {
      fail(error);
    }
  };

  const fail = (error: unknown) => {
    if (closed) return;
    update({ error: error instanceof ApiError ? error.message : String(error) });
    clearTimeout(listTimer);
    listTimer = setTimeout(() => void list(), live.longestWait ?? 5000);
  };

  const startAfresh = () => {
    generation++;
    data.clear();
    loaded.clear();
    queue.length = 0;
    void list();
  };

  const onEvents = (events: readonly LiveEvent[]) => {
    for (const event of events) {
      if (event.type === "hello") {
        if (event.reset) startAfresh();
        else void list();
        continue;
      }
      data.apply(event);
      if (event.type === "run") want(event.run);
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
      // The first connection's `hello` asks for the list.
      if (connectedBefore) void list();
      connectedBefore = true;
    },
  });

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
