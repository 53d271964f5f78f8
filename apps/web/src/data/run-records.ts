import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Client, RecordsQuery } from "../api/client.js";
import type { RunRecord } from "../api/types.js";

/** What is known of a run's records. While they are read again, those that were read stay. */
export interface RecordsState {
  readonly status: "loading" | "ready" | "failed";
  readonly records: readonly RunRecord[];
  /** Why the last read failed, in words. */
  readonly error: string | null;
}

/**
 * Records of the runs that somebody looks at, read when first asked for and again when the stream says that there are
 * more: only those of later steps than the last one known, and that one (a record may be written anew at its step).
 */
export class RunRecords {
  readonly #client: Pick<Client, "records">;
  readonly #query: Pick<RecordsQuery, "kinds">;
  readonly #states = new Map<string, Signal<RecordsState>>();
  readonly #reading = new Set<string>();
  /** Runs that recorded something while they were being read. */
  readonly #stale = new Set<string>();

  /** @param query  Which kinds to read. Default all. */
  constructor(client: Pick<Client, "records">, query: Pick<RecordsQuery, "kinds"> = {}) {
    this.#client = client;
    this.#query = query;
  }

  of(runId: string): ReadonlySignal<RecordsState> {
    const known = this.#states.get(runId);
    if (known !== undefined) return known;
    const state = signal<RecordsState>({ status: "loading", records: [], error: null });
    this.#states.set(runId, state);
    void this.#read(runId, state);
    return state;
  }

  /** There is more to read of a run. Nobody has looked at it: nothing happens. */
  refresh(runId: string): void {
    const state = this.#states.get(runId);
    if (state !== undefined) void this.#read(runId, state);
  }

  /** What was read may be of another store: everything that is looked at is read afresh. */
  clear(): void {
    for (const [runId, state] of this.#states) {
      state.value = { status: "loading", records: [], error: null };
      void this.#read(runId, state);
    }
  }

  async #read(runId: string, state: Signal<RecordsState>): Promise<void> {
    if (this.#reading.has(runId)) {
      this.#stale.add(runId);
      return;
    }
    this.#reading.add(runId);
    do {
      this.#stale.delete(runId);
      const { records } = state.value;
      const last = records.at(-1)?.step;
      try {
        const read = await this.#client.records(runId, {
          ...this.#query,
          ...(last !== undefined && { afterStep: Math.max(0, last - 1) }),
        });
        const kept = last === undefined ? [] : state.value.records.filter(({ step }) => step < Math.max(last, 1));
        const news = last === undefined ? read : read.filter(({ step }) => step >= Math.max(last, 1));
        state.value = { status: "ready", records: [...kept, ...news], error: null };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        state.value = { status: "failed", records: state.value.records, error: message };
      }
    } while (this.#stale.has(runId));
    this.#reading.delete(runId);
  }
}
