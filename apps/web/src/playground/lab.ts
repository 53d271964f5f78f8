/** The page's side of the worker: what has been measured so far, as signals, and what the reader wants. */
import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type {
  ExperimentSettings,
  FromWorker,
  KernelReading,
  LossReading,
  PhaseReading,
  SharpnessReading,
  ToWorker,
} from "./training/messages.js";

export type Phase = "loading" | "ready" | "training" | "paused" | "diverged" | "failed";

export interface Lab {
  readonly settings: ReadonlySignal<ExperimentSettings>;
  readonly phase: ReadonlySignal<Phase>;
  /** What went wrong, or where a run diverged; empty otherwise. */
  readonly message: ReadonlySignal<string>;
  readonly about: ReadonlySignal<{
    readonly description: string;
    readonly paramCount: number;
    readonly examples: number;
  } | null>;
  readonly step: ReadonlySignal<number>;
  readonly stepsPerSecond: ReadonlySignal<number>;
  readonly losses: ReadonlySignal<readonly LossReading[]>;
  readonly kernels: ReadonlySignal<readonly KernelReading[]>;
  readonly sharpnesses: ReadonlySignal<readonly SharpnessReading[]>;
  readonly phases: ReadonlySignal<PhaseReading | null>;
  /** Whether nothing moves and everything shown is of the weights, η and B as they are. */
  readonly settled: ReadonlySignal<boolean>;
  /** Starts over: other weights and another model forget what was measured. */
  open(settings: ExperimentSettings): void;
  /** η and B from the next updates on. */
  change(change: Partial<Pick<ExperimentSettings, "learningRate" | "batchSize">>): void;
  run(running: boolean): void;
  saveWeights(): void;
}

/**
 * @param fetchData  The bytes of the training images.
 * @param onWeights  Is given a safetensors file when it was asked for.
 */
export function createLab(
  worker: Worker,
  initial: ExperimentSettings,
  fetchData: () => Promise<Uint8Array>,
  onWeights: (file: Uint8Array, step: number) => void,
): Lab {
  const settings = signal(initial);
  const phase = signal<Phase>("loading");
  const message = signal("");
  const about: Signal<Lab["about"]["value"]> = signal(null);
  const step = signal(0);
  const stepsPerSecond = signal(NaN);
  const losses = signal<readonly LossReading[]>([]);
  const kernels = signal<readonly KernelReading[]>([]);
  const sharpnesses = signal<readonly SharpnessReading[]>([]);
  const phases = signal<PhaseReading | null>(null);
  const settled = signal(false);
  const data = fetchData();
  /** Openings that have not been answered: what comes before their answers is of former experiments. */
  let opening = 0;

  const send = (to: ToWorker) => worker.postMessage(to);
  const fail = (reason: string) => {
    phase.value = "failed";
    message.value = reason;
  };
  worker.addEventListener("error", (event) => fail(event.message || "The worker could not be started."));
  worker.addEventListener("message", ({ data: from }: MessageEvent<FromWorker>) => batch(() => take(from)));

  function take(from: FromWorker): void {
    if (from.type === "opened") {
      opening--;
      if (opening > 0) return;
      about.value = from;
      phase.value = "ready";
      return;
    }
    if (from.type === "failed") {
      opening = 0;
      return fail(from.message);
    }
    if (opening > 0) return;
    switch (from.type) {
      case "progress":
        step.value = from.step;
        stepsPerSecond.value = from.stepsPerSecond;
        return;
      case "loss":
        losses.value = withReading(losses.value, from.reading);
        return;
      case "kernel":
        kernels.value = withReading(kernels.value, from.reading);
        return;
      case "sharpness":
        sharpnesses.value = withReading(sharpnesses.value, from.reading);
        return;
      case "phases":
        phases.value = from.reading;
        return;
      case "settled":
        settled.value = true;
        return;
      case "diverged":
        phase.value = "diverged";
        message.value = `The loss stopped being finite at step ${from.step}.`;
        losses.value = withReading(losses.value, { step: from.step, loss: Infinity, accuracy: NaN });
        return;
      case "weights":
        return onWeights(from.file, from.step);
    }
  }

  function open(wanted: ExperimentSettings): void {
    batch(() => {
      settings.value = wanted;
      phase.value = "loading";
      message.value = "";
      step.value = 0;
      stepsPerSecond.value = NaN;
      losses.value = [];
      kernels.value = [];
      sharpnesses.value = [];
      phases.value = null;
      settled.value = false;
    });
    opening++;
    data.then(
      (bytes) => send({ type: "open", settings: wanted, data: bytes }),
      (error: unknown) =>
        fail(`The images could not be loaded: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  open(initial);
  return {
    settings,
    phase,
    message,
    about,
    step,
    stepsPerSecond,
    losses,
    kernels,
    sharpnesses,
    phases,
    settled,
    open,
    change(change) {
      settings.value = { ...settings.value, ...change };
      settled.value = false;
      const { learningRate, batchSize } = settings.value;
      if (phase.value !== "loading") send({ type: "change", learningRate, batchSize });
      else open(settings.value);
    },
    run(running) {
      settled.value = false;
      phase.value = running ? "training" : "paused";
      send({ type: "run", running });
    },
    saveWeights: () => send({ type: "weights" }),
  };
}

/** Readings in order of step; one that is made again, with another η or B, takes the place of the one before. */
function withReading<T extends { readonly step: number }>(readings: readonly T[], reading: T): readonly T[] {
  return [...(readings.at(-1)?.step === reading.step ? readings.slice(0, -1) : readings), reading];
}
