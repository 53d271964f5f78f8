import type { RunFinished } from "@sedge/lab";
import { IngestError, StoreError } from "../errors.js";
import type { AppendOptions, RunOrigin, StoredRunStarted } from "../store/events.js";
import { createRunId } from "../store/run-id.js";
import type { RunStore } from "../store/store.js";

/** Milliseconds that metrics wait for company before they are stored and their senders are told so. */
const commitInterval = 10;
const lookInterval = 1000;
/** Seconds of silence after which a trainer is taken to be gone, unless it says otherwise. */
export const defaultSilence = { http: 600, mlflow: 3600, tensorboard: 3600 } as const;
/** A clock further ahead than this is wrong. Times of the past are welcome: logs are imported. */
const largestLead = 24 * 3600_000;
const mostSenders = 64;

export interface RemoteMetrics {
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly values: Readonly<Record<string, number>>;
  /** 1, 2, 3, … of its sender's records: one that is stored already is not stored again. */
  readonly sequence?: number | undefined;
}

export interface RecordOutcome {
  readonly accepted: number;
  readonly duplicates: number;
  /** Number of the sender's next record; 1 for one that does not number them. */
  readonly next: number;
}

interface OpenRemoteRun {
  readonly silence: number;
  lastHeard: number;
  readonly positions: Map<string, number>;
}

/**
 * Runs whose trainers are elsewhere: this process writes them as they send.
 *
 * A trainer that is not heard of for its `silence` has its run marked interrupted. Nothing is lost by that, nor by this process
 * ending: the run goes on, by itself, when its trainer sends again.
 */
export class RemoteRuns {
  readonly #store: RunStore;
  readonly #open = new Map<string, OpenRemoteRun>();
  readonly #now: () => number;
  #commit: Promise<void> | null = null;
  readonly #timer: NodeJS.Timeout;

  /** @param now  Milliseconds since the epoch: the server's clock. */
  constructor(store: RunStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    this.#timer = setInterval(() => this.interruptSilent(), lookInterval);
    this.#timer.unref();
  }

  /**
   * Starts a run; the one that is there already, if it is this source's and has not ended, goes on.
   *
   * @returns whether it is new
   */
  start(
    started: Omit<StoredRunStarted, "type" | "runId"> & { readonly runId?: string | undefined },
    origin: RunOrigin,
  ) {
    this.checkClock(started.time, "time");
    const runId = started.runId ?? createRunId();
    const there = started.runId === undefined ? undefined : this.#existing(runId);
    if (there !== undefined) {
      this.#requireSource(runId, origin.source);
      this.heard(runId);
      return { runId, created: false };
    }
    this.#store.append({ ...started, type: "run-started", runId }, { origin });
    this.#remember(runId, origin);
    return { runId, created: true };
  }

  /**
   * Notes that the run's trainer is alive; a run that was interrupted goes on.
   *
   * @throws StoreError `unknown-run`, `run-busy`; IngestError `run-ended`, `run-foreign`
   */
  heard(runId: string): void {
    this.#opened(runId).lastHeard = performance.now();
  }

  /** As `heard`, of a run that may have finished and whose trainer asks for it to go on. */
  reopen(runId: string): void {
    this.#opened(runId, true).lastHeard = performance.now();
  }

  /**
   * Takes a run's metrics; stored when the promise resolves. All of them, or none where one is refused.
   *
   * @throws as `heard`; IngestError `sequence-gap`, `clock-skew`
   */
  async record(runId: string, metrics: readonly RemoteMetrics[], sender = ""): Promise<RecordOutcome> {
    const run = this.#opened(runId);
    metrics.forEach(({ time }, i) => this.checkClock(time, `line ${i + 1}: time`));
    const fresh = this.#fresh(run, metrics, sender);
    for (const { sequence, ...event } of fresh) {
      const position: AppendOptions["position"] = sequence === undefined ? undefined : { sender, value: sequence };
      this.#store.append({ type: "metrics", runId, ...event }, { position });
      if (sequence !== undefined) run.positions.set(sender, sequence);
    }
    run.lastHeard = performance.now();
    await this.committed();
    const next = (run.positions.get(sender) ?? 0) + 1;
    return { accepted: fresh.length, duplicates: metrics.length - fresh.length, next };
  }

  /** Ends a run. One that has ended so already stays as it is: the trainer may not have heard the answer. */
  finish(
    runId: string,
    end: Pick<RunFinished, "status" | "time"> & { step?: number | undefined; message?: string | undefined },
  ) {
    this.checkClock(end.time, "time");
    const { status, step: lastStep } = this.#store.run(runId);
    if (status === end.status && status !== "interrupted") return;
    this.heard(runId);
    const { step = lastStep, message, ...rest } = end;
    this.#store.append({ type: "run-finished", runId, step, ...rest, ...(message === undefined ? {} : { message }) });
    this.#open.delete(runId);
  }

  /** Resolves when everything taken so far has been stored; rejects where it could not be. */
  committed(): Promise<void> {
    this.#commit ??= new Promise((resolve, reject) => {
      setTimeout(() => {
        this.#commit = null;
        try {
          this.#store.flush();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      }, commitInterval);
    });
    return this.#commit;
  }

  /** Marks the runs of silent trainers as interrupted. Happens every second. */
  interruptSilent(): void {
    for (const [runId, { silence, lastHeard }] of this.#open) {
      const quiet = performance.now() - lastHeard;
      if (quiet < silence * 1000) continue;
      this.#open.delete(runId);
      try {
        if (!this.#store.isOpen(runId)) continue;
        const time = this.#now() - quiet;
        const message = `Its trainer has not been heard of for ${silence} s. It goes on when it sends again.`;
        const { step } = this.#store.run(runId);
        this.#store.append({ type: "run-finished", runId, time, step, status: "interrupted", message });
      } catch {
        // A full disk, a busy store: tried again when the trainer sends, or by whoever finds this writer dead.
      }
    }
  }

  /** Runs stay open in the store, which marks them as interrupted when it is closed. */
  close(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  /** @throws IngestError `clock-skew` for a time that cannot be: most often a clock that is wrong. */
  checkClock(time: number, path: string): void {
    const lead = time - this.#now();
    if (lead <= largestLead) return;
    const here = new Date(this.#now()).toISOString();
    const message = `${path}: is ${(lead / 3600_000).toFixed(1)} h ahead of the server's clock (${here}), at most 24 h are taken. Set the clock, or leave the time out.`;
    throw new IngestError("clock-skew", message, path);
  }

  #opened(runId: string, reopen = false): OpenRemoteRun {
    const known = this.#open.get(runId);
    if (known !== undefined && this.#store.isOpen(runId)) return known;
    const run = this.#store.run(runId); // by its whole id: a prefix might be another's tomorrow
    if (run.id !== runId) throw new StoreError("unknown-run", `run ${JSON.stringify(runId)}: no run has this id.`);
    const origin = this.#store.origin(runId);
    if (!reopen && run.status !== "running" && run.status !== "interrupted") {
      throw new IngestError("run-ended", `run ${runId} has ended as ${run.status}. Start another.`);
    }
    if (origin === null) {
      throw new IngestError("run-foreign", `run ${runId} is written by Sedge's own trainer; others cannot add to it.`);
    }
    if (!this.#store.isOpen(runId)) {
      const { name, config, steps, model } = run;
      this.#store.append({ type: "run-started", runId, time: this.#now(), name, config, steps, model }, { reopen });
    }
    return this.#remember(runId, origin);
  }

  #remember(runId: string, { source, details }: RunOrigin): OpenRemoteRun {
    const { silence = defaultSilence[source] } = details as { silence?: number };
    const positions = new Map(this.#store.positions(runId));
    const run = { silence, lastHeard: performance.now(), positions };
    this.#open.set(runId, run);
    return run;
  }

  #existing(runId: string) {
    try {
      const run = this.#store.run(runId);
      return run.id === runId ? run : undefined;
    } catch (error) {
      if (error instanceof StoreError && ["unknown-run", "ambiguous-run"].includes(error.code)) return undefined;
      throw error;
    }
  }

  #requireSource(runId: string, source: RunOrigin["source"]): void {
    if (this.#store.origin(runId)?.source === source) return;
    throw new StoreError("run-exists", `run ${runId} exists already and comes from elsewhere. Use another id.`);
  }

  #fresh(run: OpenRemoteRun, metrics: readonly RemoteMetrics[], sender: string): readonly RemoteMetrics[] {
    if (metrics.every(({ sequence }) => sequence === undefined)) return metrics;
    const stored = run.positions.get(sender) ?? 0;
    if (stored === 0 && run.positions.size >= mostSenders && !run.positions.has(sender)) {
      throw new IngestError("bad-request", `sender: a run has at most ${mostSenders} of them`, "sender");
    }
    let last = stored;
    return metrics.filter(({ sequence }, i) => {
      const path = `line ${i + 1}: sequence`;
      if (sequence === undefined) throw new IngestError("bad-request", `${path}: missing, where others have one`, path);
      if (sequence <= stored) return false;
      if (sequence !== last + 1) {
        const message = `${path}: expected ${last + 1}, got ${sequence}. Records of a sender follow each other, one post at a time.`;
        throw new IngestError("sequence-gap", message, path);
      }
      last = sequence;
      return true;
    });
  }
}
