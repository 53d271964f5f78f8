import { StoreError } from "../errors.js";
import type { SequencedEvent } from "../store/events.js";
import { stringifyNonFinite, toWireNumber } from "../store/non-finite-json.js";
import type { RunStore } from "../store/store.js";
import { runMessage } from "./messages.js";

/** How often other processes' writing is looked for, in milliseconds. A look is a read of one row, some 10 µs. */
const pollInterval = 25;
/** How often dead writers are looked for. */
const reapInterval = 1000;
const batchLimit = 1000;
const keptBatches = 8;

/** Consecutive events as the text of a stream. */
export interface Batch {
  readonly text: string;
  /** Number of its last event: where the next batch begins. */
  readonly cursor: number;
  /** Runs that recorded metrics in it. */
  readonly runs: ReadonlySet<string>;
}

interface Waiter {
  readonly cursor: number;
  readonly wake: () => void;
}

/**
 * What all streams of a server share: one look at the store for news, and the text of the newest events, which streams
 * that keep up all send alike.
 */
export class EventFeed {
  readonly #store: RunStore;
  readonly #waiters = new Set<Waiter>();
  /** By the cursor a batch begins after. Events are never renumbered, so a batch stays true. */
  readonly #batches = new Map<number, Batch>();
  readonly #summaries = new Map<string, { cursor: number; text: string }>();
  #timer: NodeJS.Timeout | null = null;
  #lastReap = 0;

  constructor(store: RunStore) {
    this.#store = store;
  }

  cursor(): number {
    return this.#store.cursor();
  }

  /** Events after `cursor`, or null where there are none yet. */
  batchAfter(cursor: number): Batch | null {
    const known = this.#batches.get(cursor);
    if (known !== undefined) return known;
    const events = this.#store.eventsAfter(cursor, batchLimit);
    if (events.length === 0) return null;
    const runs = new Set<string>();
    let text = "";
    for (const { sequence, event } of events) {
      if (event.type === "metrics") runs.add(event.runId);
      text += this.#message(sequence, event);
    }
    const batch = { text, cursor: events.at(-1)!.sequence, runs };
    this.#batches.set(cursor, batch);
    if (this.#batches.size > keptBatches) this.#batches.delete(this.#batches.keys().next().value!);
    return batch;
  }

  /**
   * How the runs stand, as `run` messages without a number: they repeat what numbered ones have said.
   *
   * @param cursor  Up to where the stream has told: what is known of a run at that or later is news enough, so streams that keep up
   *   share one look at each run.
   */
  progress(runIds: Iterable<string>, cursor: number): string {
    let text = "";
    for (const runId of runIds) text += this.#runMessage(runId, "", cursor);
    return text;
  }

  /** Resolves when there are events after `cursor`, when `timeout` milliseconds have passed, or on `signal`. */
  waitBeyond(cursor: number, timeout: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#stopPolling();
        resolve();
      };
      const waiter: Waiter = { cursor, wake: done };
      const timer = setTimeout(done, timeout);
      signal.addEventListener("abort", done);
      this.#waiters.add(waiter);
      this.#timer ??= setInterval(() => this.#poll(), pollInterval);
      if (signal.aborted) done();
    });
  }

  #stopPolling(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #poll(): void {
    let newest = Infinity;
    try {
      if (!this.#store.readOnly && performance.now() - this.#lastReap > reapInterval) {
        this.#lastReap = performance.now();
        this.#store.markInterrupted();
      }
      newest = this.#store.cursor();
    } catch {
      // Streams that are woken read for themselves, fail for the same reason, and end; their clients come back.
    }
    for (const { cursor, wake } of [...this.#waiters]) if (cursor < newest) wake();
  }

  #message(sequence: number, event: SequencedEvent["event"]): string {
    const id = `id: ${sequence}\n`;
    if (event.type === "run-deleted") {
      return `${id}event: run-deleted\ndata: ${stringifyNonFinite({ runId: event.runId, time: event.time })}\n\n`;
    }
    if (event.type === "recorded") {
      const { runId, time, step, what, kinds } = event;
      return `${id}event: recorded\ndata: ${JSON.stringify({ runId, time, step, what, kinds })}\n\n`;
    }
    if (event.type !== "metrics") return this.#runMessage(event.runId, id, sequence);
    const { runId, time, step } = event;
    const values: Record<string, unknown> = {};
    for (const key in event.values) values[key] = toWireNumber(event.values[key]!);
    return `${id}event: metrics\ndata: ${JSON.stringify({ runId, time, step, values })}\n\n`;
  }

  #runMessage(runId: string, id: string, wanted: number): string {
    let summary = this.#summaries.get(runId);
    if (summary === undefined || summary.cursor < wanted) {
      try {
        const cursor = this.#store.cursor();
        summary = { cursor, text: stringifyNonFinite(runMessage(this.#store.run(runId))) };
      } catch (error) {
        // Deleted since; the event that says so is on its way.
        if (error instanceof StoreError && error.code === "unknown-run") return id === "" ? "" : `${id}\n`;
        throw error;
      }
      this.#summaries.set(runId, summary);
    }
    return `${id}event: run\ndata: ${summary.text}\n\n`;
  }
}
