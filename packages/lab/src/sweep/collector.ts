import { rmSync } from "node:fs";
import type { RunEvent, RunStarted, RunStatus } from "../run/events.js";
import type { PlannedRun } from "./plan.js";
import { checkpointFile, logFile } from "./run-files.js";
import { openLogReader, statusAfter, type LogReader } from "./run-log.js";

/** Where the events of a sweep's runs go beside their logs: a store. */
export interface SweepSink {
  /** How many of a run's events it has; Infinity for a run that has ended there. What it has is not sent again. */
  has(runId: string): number;
  /**
   * Takes an event. `run-started` may come again for a run that is open, or is to go on.
   *
   * @param index  Its place among the run's events, from 0.
   */
  write(event: RunEvent, index: number): void;
  /** Forgets a run that failed and is tried again. */
  forget?(runId: string): void;
  flush?(): void;
}

/** How a run stands, as its log tells. */
export interface RunState {
  readonly run: PlannedRun;
  /** undefined before it has begun. */
  status: RunStatus | undefined;
  step: number;
  message: string | undefined;
  latest: Record<string, number>;
  /** By key. */
  readonly series: Record<string, { steps: number[]; values: number[] }>;
}

/** Reads the logs of all runs as they grow, and hands on what is news. */
export interface Collector {
  readonly states: ReadonlyMap<string, RunState>;
  /** Reads what has come. @returns Whether anything has. */
  collect(): boolean;
  /** Makes a failed run one that has not begun. */
  reset(runId: string): void;
}

export function openCollector(folder: string, runs: readonly PlannedRun[], sinks: readonly SweepSink[]): Collector {
  const states = new Map(runs.map((run) => [run.id, blank(run)]));
  const readers = new Map<string, { reader: LogReader; count: number; started?: RunStarted }>();
  const delivery = sinks.map((sink) => ({ sink, has: new Map<string, number>(), open: new Set<string>() }));
  const begin = (id: string) => readers.set(id, { reader: openLogReader(logFile(folder, id)), count: 0 });
  for (const { id } of runs) begin(id);

  function deliver(event: RunEvent, index: number, started: RunStarted | undefined): void {
    const { runId } = event;
    for (const { sink, has, open } of delivery) {
      let known = has.get(runId);
      if (known === undefined) has.set(runId, (known = sink.has(runId)));
      // A run that was refused has no start: it is told of in the sweep's result only.
      if (index < known || started === undefined) continue;
      if (!open.has(runId)) {
        sink.write(started, index);
        open.add(runId);
      }
      if (event.type === "run-started") continue;
      sink.write(event, index);
      if (event.type === "run-finished") open.delete(runId);
    }
  }

  return {
    states,
    collect() {
      let news = false;
      for (const [id, own] of readers) {
        const state = states.get(id)!;
        for (const event of own.reader.next()) {
          news = true;
          if (event.type === "run-started") own.started = event;
          take(state, event);
          deliver(event, own.count++, own.started);
        }
      }
      if (news) for (const sink of sinks) sink.flush?.();
      return news;
    },
    reset(runId) {
      rmSync(logFile(folder, runId), { force: true });
      rmSync(checkpointFile(folder, runId), { force: true });
      for (const { sink, has, open } of delivery) {
        sink.forget?.(runId);
        has.delete(runId);
        open.delete(runId);
      }
      states.set(runId, blank(states.get(runId)!.run));
      begin(runId);
    },
  };
}

function blank(run: PlannedRun): RunState {
  return { run, status: undefined, step: 0, message: undefined, latest: {}, series: {} };
}

function take(state: RunState, event: RunEvent): void {
  state.status = statusAfter(event, state.status);
  if (event.type === "run-finished") {
    state.message = event.message;
    if (event.step > 0) state.step = event.step;
  }
  if (event.type !== "metrics") return;
  state.step = Math.max(state.step, event.step);
  Object.assign(state.latest, event.values);
  for (const [key, value] of Object.entries(event.values)) {
    const { steps, values } = (state.series[key] ??= { steps: [], values: [] });
    steps.push(event.step);
    values.push(value);
  }
}
