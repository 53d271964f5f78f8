import type { PlannedRun } from "./plan.js";
import { blockSpan, stackKey } from "./vectorised/stackable.js";

export interface GroupOptions {
  readonly vectorise: boolean;
  /** Groups that may train at a time: so many there should be at least, where there are as many runs. */
  readonly workers: number;
}

/** Runs in one graph at most. Beyond this a step's working set leaves the processor's cache. */
export const mostTogether = 8;

/**
 * The runs in groups that each train in one graph, in the order of their first runs. Runs that cannot share a graph are
 * groups of one.
 */
export function groupRuns(runs: readonly PlannedRun[], { vectorise, workers }: GroupOptions): PlannedRun[][] {
  const byKey = new Map<string, PlannedRun[]>();
  for (const run of runs) {
    const shared = vectorise ? stackKey(run.config) : undefined;
    // What the block's span depends on beside the key: so that a run sums in the same order whatever its company.
    const key = shared === undefined ? run.id : `${blockSpan(run.config, Infinity)} ${shared}`;
    byKey.set(key, [...(byKey.get(key) ?? []), run]);
  }
  const size = Math.max(1, Math.min(mostTogether, Math.ceil(runs.length / workers)));
  return [...byKey.values()].flatMap((together) => {
    const groups = Math.ceil(together.length / size);
    // As even as can be: 9 runs are 5 and 4, not 8 and 1.
    return Array.from({ length: groups }, (_, i) =>
      together.slice(Math.round((i * together.length) / groups), Math.round(((i + 1) * together.length) / groups)),
    );
  });
}
