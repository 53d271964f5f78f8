import type { RunEvent } from "./events.js";

/** Where a run's events go: a store, a progress bar, an array. An error it throws ends the run as failed. */
export interface Sink {
  write(event: RunEvent): void;
  /** Makes what was written durable now. Called before work that may keep the event loop for long: a probe. */
  flush?(): void;
  /** Called once, after the run's last event. */
  close?(): Promise<void> | void;
}

/** A sink that keeps every event in memory, oldest first. */
export function memorySink(): Sink & { readonly events: readonly RunEvent[] } {
  const events: RunEvent[] = [];
  return { events, write: (event) => void events.push(event) };
}
