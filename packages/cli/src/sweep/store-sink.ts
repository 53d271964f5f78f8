import type { RunEvent, SweepSink } from "@sedge/lab";
import type { RunStore } from "@sedge/server";

/** Who says how far a run's events have come: what the store keeps with them. */
const sender = "sweep";

/** The tag that every run of a sweep carries. */
export const sweepTag = (name: string) => `sweep:${name}`;

/** Writes a sweep's events to a store, each once whatever process collects them, and tags the runs. */
export function storeSweepSink(store: RunStore, sweep: string): SweepSink {
  const tag = sweepTag(sweep);
  /** As it was found: asked once for all, because a store lists its runs in one go. What comes later comes from here. */
  const before = new Map(store.runs().map(({ id, status }) => [id, status]));
  return {
    has(runId) {
      const status = before.get(runId);
      if (status === undefined) return 0;
      return status === "finished" || status === "diverged" ? Infinity : (store.positions(runId).get(sender) ?? -1) + 1;
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
      if (before.delete(runId)) store.deleteRun(runId);
    },
    flush: () => store.flush(),
  };
}
