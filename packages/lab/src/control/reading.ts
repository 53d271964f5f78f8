import { openNtk } from "../curvature/ntk/ntk.js";
import { currentOptimizer, optimizerDynamics } from "../curvature/optimizer-dynamics.js";
import { samplesFor } from "../curvature/attribution/sampled-directions.js";
import { takeExamples, type Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import type { Params } from "../models/model.js";
import type { ProbeContext, ProbeMemory } from "../probes/probe.js";
import { sharpnessProbe } from "../probes/sharpness.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import type { ControlPlan, ControlReading } from "./controller.js";
import { kernelReading } from "./kernel-reading.js";

/** A run as it is when a controller looks at it. */
export interface ControlView {
  readonly step: number;
  readonly params: Params;
  readonly carried: Params;
  /** Of the next update. */
  readonly learningRate: number;
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** The controller's own instrument, which shares nothing with the run's probes. */
export interface ControlInstrument {
  /** What its next measurement starts from. */
  readonly memory: ProbeMemory;
  /** null where nothing can be measured yet: an adaptive optimiser before its first update. */
  measure(view: ControlView): Promise<Omit<ControlReading, "loss"> | null>;
  close(): Promise<void>;
}

export interface InstrumentOptions extends ProbeContext {
  readonly kind: ControlPlan["kind"];
  /** n. */
  readonly probeExamples: number;
}

/** @throws BadInput if the probe is too large for its NTK. */
export function openInstrument(options: InstrumentOptions): Promise<ControlInstrument> {
  return options.kind === "sharpness" ? openSharpness(options) : openKernel(options);
}

/** n for λ_max, where n is the probe's for K: λ_max of few examples reads high, and they cost less. */
export const sharpnessExamples = (probeExamples: number) => 16 * probeExamples;

async function openKernel(options: InstrumentOptions): Promise<ControlInstrument> {
  const { model, loss, sgd, optimizer, threads, probeExamples, memory } = options;
  if (samplesFor(probeExamples, model.outputs) !== null) {
    throw new BadInput(
      `control.examples: expected a probe of at most 4096 rows, got ${probeExamples} examples of ${model.outputs} outputs.`,
    );
  }
  const { inputs } = someExamples(options, probeExamples);
  const { examples: population, ...run } = sgd;
  let start = memory?.["perron"];
  const estimator = await openNtk(model, { threads });
  return {
    get memory(): ProbeMemory {
      return start ? { perron: start } : {};
    },
    async measure({ step, params, carried, learningRate, batchSize }) {
      const current = currentOptimizer(optimizer, learningRate, step, carried);
      if (current === null) return null;
      const { preconditioner, learningRate: rate, momentum, nesterov, weightDecay } = optimizerDynamics(current);
      const ntk = await estimator.measure(params, inputs, { preconditioner: preconditioner ?? undefined });
      const own = { ...run, population, batchSize, learningRate: rate, momentum, nesterov, weightDecay };
      const { value, standardError, deterministicRatio, perron } = kernelReading(ntk, loss, own, start);
      start = perron;
      return {
        ...{ step, learningRate, batchSize, noiseKernel: value, noiseKernelError: standardError },
        deterministic: deterministicRatio,
      };
    },
    close: () => estimator.dispose(),
  };
}

async function openSharpness(options: InstrumentOptions): Promise<ControlInstrument> {
  const { dataset, probeExamples } = options;
  const train = someExamples(options, Math.min(dataset.train.examples, sharpnessExamples(probeExamples)));
  const probe = await sharpnessProbe({ tolerance: 1e-2 }).open({ ...options, dataset: { ...dataset, train } });
  return {
    get memory(): ProbeMemory {
      return probe.memory ?? {};
    },
    async measure(view) {
      const { step, learningRate, batchSize } = view;
      const { "edge/deterministic": deterministic = NaN } = await probe.observe(view);
      return { step, learningRate, batchSize, noiseKernel: NaN, noiseKernelError: NaN, deterministic };
    },
    close: () => probe.close(),
  };
}

/** Drawn once a run. */
function someExamples({ dataset: { train }, random }: InstrumentOptions, count: number): Split {
  const drawn = { examples: train.examples, batchSize: count, sampling: "without-replacement" as const, random };
  return takeExamples(train, minibatchStream(drawn).next(1));
}
