import type { RunEvent, SweepSink } from "@sedge/lab";
import type { RunStore, RunSummary } from "@sedge/server";

/** Who says how far a run's events have come: what the store keeps with them. */
const sender = "sweep";

/** The tag that every run of a sweep carries. */
export const sweepTag = (name: string) => `sweep:${name}`;

/** Writes a sweep's events to a store, each once whatever process collects them, and tags the runs. */
export function storeSweepSink(store: RunStore, sweep: string): SweepSink {
  const find = (runId: string): RunSummary | undefined => store.runs().find(({ id }) => id === runId);
  const tag = sweepTag(sweep);
  return {
    has(runId) {
      const run = find(runId);
      if (run === undefined) return 0;
      return run.status === "finished" || run.status === "diverged"
        ? Infinity
        : (store.positions(runId).get(sender) ?? -1) + 1;
    },
    write(event: RunEvent, index) {
      const { runId } = event;
      if (event.type === "run-started") {
        if (store.isOpen(runId)) return;
        store.append(event);
        const { tags } = store.run(runId);
        if (!tags.includes(tag)) store.setTags(runId, [...tags, tag]);
        return;
      }
      store.append(event, event.type === "metrics" ? { position: { sender, value: index } } : {});
    },
    forget(runId) {
      if (find(runId) !== undefined) store.deleteRun(runId);
    },
    flush: () => store.flush(),
  };
}
