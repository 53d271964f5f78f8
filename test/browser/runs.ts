/** Runs as a trainer would write them, with values that are easy to reckon: the tests know what must be on the page. */
import type { RunStore } from "@sedge/server";
import { createRunId } from "@sedge/server";

export interface SyntheticRun {
  readonly name: string;
  readonly learningRate: number;
  readonly batchSize?: number;
  readonly steps?: number;
  /** Where K settles. */
  readonly noiseKernel: number;
  readonly startedAt?: number;
  /** In place of the settings above. */
  readonly config?: object;
}

const firstTime = Date.UTC(2026, 0, 2, 12);

export function startRun(
  store: RunStore,
  { name, learningRate, batchSize = 1, steps = 12_000, startedAt = firstTime, config }: SyntheticRun,
): string {
  const runId = createRunId(startedAt);
  store.append({
    type: "run-started",
    runId,
    time: startedAt,
    name,
    config: config ?? { name, learningRate, batchSize, steps },
    steps,
    model: { paramCount: 118_282, description: "MLP 784-128-128-10 tanh" },
  });
  return runId;
}

/** Metrics after `step` updates: smooth in the step, nothing random. */
export function metricsAt({ learningRate, noiseKernel }: SyntheticRun, step: number): Record<string, number> {
  const age = step * learningRate;
  const ripple = 1 + 0.04 * Math.sin(step / 37) * Math.cos(step / 111);
  const loss = (0.45 * Math.exp(-age / 6) + 0.03 / (1 + age / 20) + 0.012) * ripple;
  const sharpness = (15 + 45 * Math.exp(-age / 12)) * ripple;
  const exact = noiseKernel * (1 + 1.6 * Math.exp(-age / 5)) * ripple;
  return {
    "loss/train": loss,
    "loss/batch": loss * (1 + 0.2 * Math.sin(step)),
    "loss/test": loss * 1.05 + 0.018,
    "accuracy/train": 1 - 0.9 * Math.exp(-age / 8),
    "accuracy/test": 0.9 - 0.8 * Math.exp(-age / 8),
    sharpness,
    "sharpness/ritzResidual": sharpness * 1e-3,
    "edge/deterministic": (sharpness * learningRate) / 2,
    "noiseKernel/exact": exact,
    "noiseKernel/exact/standardError": exact * 0.06,
    "noiseKernel/diagonal": exact * 0.65,
    "noiseKernel/trace": exact * 0.55,
  };
}

export function addMetrics(
  store: RunStore,
  runId: string,
  run: SyntheticRun,
  step: number,
  changed: Record<string, number> = {},
): void {
  const time = (run.startedAt ?? firstTime) + step * 2;
  store.append({ type: "metrics", runId, time, step, values: { ...metricsAt(run, step), ...changed } });
}

/** The three learning rates of the main example, finished, and one run that diverged at step 14. */
export const mainExample: readonly SyntheticRun[] = [
  { name: "mnist-fcn η = 0.003", learningRate: 0.003, noiseKernel: 0.3, startedAt: firstTime },
  { name: "mnist-fcn η = 0.01", learningRate: 0.01, noiseKernel: 0.65, startedAt: firstTime + 1000 },
  { name: "mnist-fcn η = 0.03", learningRate: 0.03, noiseKernel: 1, startedAt: firstTime + 2000 },
];
export const divergingRun: SyntheticRun = {
  name: "mnist-fcn η = 0.2",
  learningRate: 0.2,
  noiseKernel: 5,
  startedAt: firstTime + 3000,
};

/** Every 100 steps, 121 points a run. Past the deterministic edge at first, where it says so, K is infinite. */
export const pointsPerRun = 121;

export function fillMainExample(store: RunStore): string[] {
  const ids = mainExample.map((run) => {
    const id = startRun(store, run);
    for (let step = 0; step <= 12_000; step += 100) {
      const infinite = run.learningRate === 0.03 && step === 0;
      addMetrics(
        store,
        id,
        run,
        step,
        infinite ? { "noiseKernel/exact": Infinity, "noiseKernel/exact/standardError": NaN } : {},
      );
    }
    store.append({
      type: "run-finished",
      runId: id,
      time: (run.startedAt ?? 0) + 24_000,
      step: 12_000,
      status: "finished",
    });
    return id;
  });
  const diverged = startRun(store, divergingRun);
  for (const step of [0, 1, 3, 8]) {
    addMetrics(store, diverged, divergingRun, step, {
      "noiseKernel/exact": Infinity,
      "noiseKernel/exact/standardError": NaN,
      "noiseKernel/diagonal": Infinity,
      "edge/deterministic": 6 + step / 10,
      "loss/train": 0.5 * 1.9 ** step,
    });
  }
  store.append({
    type: "run-finished",
    runId: diverged,
    time: firstTime + 4000,
    step: 14,
    status: "diverged",
    message: "the loss is not finite at step 14",
  });
  return [...ids, diverged];
}
