import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IngestError } from "../../errors.js";
import type { RunStore } from "../../store/store.js";
import { RemoteRuns } from "../remote-runs.js";
import { EventFile, type PlacedEvent } from "./event-file.js";

export interface TensorBoardOptions {
  /** Stops following. */
  readonly signal?: AbortSignal;
  /** Keep looking for more until `signal`; else the runs are read once and are finished. Default true. */
  readonly follow?: boolean;
  /** Milliseconds between two looks. Default 1000. */
  readonly interval?: number;
  /** Told of damaged records and files, one line each. */
  readonly onProblem?: (problem: string) => void;
}

export interface TensorBoardSummary {
  readonly runs: readonly string[];
  readonly records: number;
  readonly scalars: number;
  readonly problems: readonly string[];
}

/**
 * Takes the scalars of a TensorBoard log directory into a store, and goes on as its files grow and new ones come. As in
 * TensorBoard, a folder with event files is a run, named by its path. How far each file has been read is stored with what was
 * read, so a directory may be taken again, by any process: nothing is doubled. What is no scalar is left out.
 *
 * @throws ENOENT where there is no such folder; StoreError
 */
export async function ingestTensorBoard(
  folder: string,
  store: RunStore,
  options: TensorBoardOptions = {},
): Promise<TensorBoardSummary> {
  const { signal, follow = true, interval = 1000, onProblem } = options;
  const directory = new LogDirectory(resolve(folder), store, onProblem);
  try {
    await directory.look();
    const aborted = () => signal?.aborted === true;
    while (follow && !aborted()) {
      await sleep(interval, undefined, signal && { signal }).catch(() => undefined);
      if (!aborted()) await directory.look();
    }
    if (!follow) directory.finish();
    return directory.summary();
  } finally {
    directory.close();
  }
}

interface LogRun {
  readonly id: string;
  readonly name: string;
  readonly files: Map<string, EventFile>;
  started: boolean;
  lastTime: number;
}

class LogDirectory {
  readonly #folder: string;
  readonly #store: RunStore;
  readonly #remote: RemoteRuns;
  readonly #runs = new Map<string, LogRun>();
  readonly #problems: string[] = [];
  readonly #report: (problem: string) => void;
  /** Runs that take nothing more: they have ended in the store. */
  readonly #closedRuns = new Set<string>();
  #records = 0;
  #scalars = 0;

  constructor(folder: string, store: RunStore, onProblem: ((problem: string) => void) | undefined) {
    this.#folder = folder;
    this.#store = store;
    this.#remote = new RemoteRuns(store);
    this.#report = (problem) => {
      if (this.#problems.includes(problem)) return;
      this.#problems.push(problem);
      onProblem?.(problem);
    };
  }

  async look(): Promise<void> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    // A file's name begins with the time at which it was opened: in order of name is in order of time.
    const files = entries
      .filter((entry) => entry.isFile() && entry.name.includes(".tfevents."))
      .map((entry) => ({ place: entry.parentPath, name: entry.name }))
      .sort((a, b) => (a.place < b.place || (a.place === b.place && a.name < b.name) ? -1 : 1));
    for (const { place, name } of files) {
      const run = this.#runAt(place);
      if (!this.#closedRuns.has(run.id)) await this.#readFile(run, name, this.#fileOf(run, place, name));
    }
    this.#store.flush();
  }

  finish(): void {
    for (const { id, started, lastTime: time } of this.#runs.values()) {
      if (started && this.#store.isOpen(id)) this.#remote.finish(id, { status: "finished", time });
    }
  }

  summary(): TensorBoardSummary {
    const runs = [...this.#runs.values()].filter(({ started }) => started).map(({ id }) => id);
    return { runs, records: this.#records, scalars: this.#scalars, problems: this.#problems };
  }

  close(): void {
    this.#remote.close();
  }

  #runAt(place: string): LogRun {
    let run = this.#runs.get(place);
    if (run === undefined) {
      const path = relative(this.#folder, place).split(sep).join("/");
      // The same folder is the same run, whenever it is taken.
      const id = `tb-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
      run = { id, name: path === "" ? basename(this.#folder) : path, files: new Map(), started: false, lastTime: 0 };
      this.#runs.set(place, run);
    }
    return run;
  }

  #fileOf(run: LogRun, place: string, name: string): EventFile {
    let file = run.files.get(name);
    if (file === undefined) {
      const known = this.#store.runs().some(({ id }) => id === run.id);
      const offset = known ? (this.#store.positions(run.id).get(name) ?? 0) : 0;
      file = new EventFile(join(place, name), offset, this.#report);
      run.files.set(name, file);
    }
    return file;
  }

  async #readFile(run: LogRun, name: string, file: EventFile): Promise<void> {
    for await (const { events, records } of file.parts()) {
      this.#records += records;
      const merged = merge(events);
      try {
        if (merged.length > 0) this.#start(run, merged[0]!);
        for (const { end, ...event } of merged) {
          const position = { sender: name, value: end };
          this.#store.append({ type: "metrics", runId: run.id, ...event }, { position });
          run.lastTime = event.time;
          this.#scalars += Object.keys(event.values).length;
        }
      } catch (error) {
        if (!(error instanceof IngestError)) throw error;
        this.#closedRuns.add(run.id);
        this.#report(`${file.path}: ${error.message}`);
        return;
      }
    }
  }

  #start(run: LogRun, { time }: PlacedEvent): void {
    if (run.started) return this.#remote.heard(run.id);
    const known = this.#store.runs().some(({ id }) => id === run.id);
    if (known) this.#remote.heard(run.id);
    else {
      const model = { paramCount: 0, description: "" };
      const config = { source: "TensorBoard", folder: this.#folder };
      this.#remote.start(
        { runId: run.id, name: run.name, time, steps: 0, config, model },
        { source: "tensorboard", details: {} },
      );
    }
    run.started = true;
  }
}

/** Events of one step that follow each other become one: most writers make an event of every number. */
function merge(events: readonly PlacedEvent[]): PlacedEvent[] {
  const merged: { time: number; step: number; values: Record<string, number>; end: number }[] = [];
  for (const { time, step, values, end } of events) {
    const last = merged.at(-1);
    const fits = last?.step === step && Object.keys(values).every((key) => !Object.hasOwn(last.values, key));
    if (fits) {
      Object.assign(last.values, values);
      Object.assign(last, { time, end });
    } else merged.push({ time, step, values: { ...values }, end });
  }
  return merged;
}
