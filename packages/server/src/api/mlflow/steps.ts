import type { MlflowMetric } from "./schemas.js";
import type { RunStore } from "../../store/store.js";

interface Last {
  step: number;
  timestamp: number;
  value: number;
  /** Whether the metric has never had a step of its own. */
  counting: boolean;
}

/**
 * Steps for metrics that were logged without one. MLflow's client then says step 0 every time, and MLflow shows them by time;
 * here a step has one value. So values of a metric that has never had another step are counted: 0, 1, 2, …
 */
export class StepCounter {
  readonly #store: RunStore;
  /** By run and metric, of those that have only been logged without a step. */
  readonly #last = new Map<string, Map<string, Last>>();

  constructor(store: RunStore) {
    this.#store = store;
  }

  stepFor(runId: string, { key, step, timestamp, value }: MlflowMetric): number {
    let known = this.#last.get(runId);
    if (known === undefined) {
      known = new Map();
      this.#last.set(runId, known);
      if (this.#last.size > 1000) this.#last.delete(this.#last.keys().next().value!);
    }
    let last = known.get(key);
    if (last === undefined) {
      const series = this.#store.metrics(runId, { keys: [key] }).series[key];
      const steps = series?.steps ?? [];
      const counting = steps.every((one, i) => one === i);
      last = {
        step: steps.at(-1) ?? -1,
        timestamp: series?.times.at(-1) ?? -1,
        value: series?.values.at(-1) ?? NaN,
        counting,
      };
      known.set(key, last);
    }
    let taken = step;
    if (step !== 0) last.counting = false;
    else if (last.counting && last.step >= 0) {
      // The same again is a client that had no answer.
      const again = timestamp === last.timestamp && Object.is(value, last.value);
      taken = again ? last.step : last.step + 1;
    }
    Object.assign(last, { step: taken, timestamp, value });
    return Math.max(0, taken);
  }

  forget(runId: string): void {
    this.#last.delete(runId);
  }
}
