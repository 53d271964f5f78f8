import { estimateNoiseKernel } from "../curvature/noise-kernel.js";
import { openNtk } from "../curvature/ntk/ntk.js";
import { currentOptimizer, optimizerDynamics } from "../curvature/optimizer-dynamics.js";
import { samplesFor } from "../curvature/attribution/sampled-directions.js";
import { takeExamples } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import type { Params } from "../models/model.js";
import type { ProbeContext } from "../probes/probe.js";
import { sharpnessProbe } from "../probes/sharpness.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import type { ControlPlan, ControlReading } from "./controller.js";

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

/** The controller's own instrument: its measurements depend on the weights alone, not on when others were made. */
export interface ControlInstrument {
  /** null where nothing can be measured yet: an adaptive optimiser before its first update. */
  measure(view: ControlView): Promise<Omit<ControlReading, "loss"> | null>;
  close(): Promise<void>;
}

export interface InstrumentOptions extends Omit<ProbeContext, "memory"> {
  readonly kind: ControlPlan["kind"];
  /** n. */
  readonly probeExamples: number;
}

/** @throws BadInput if the probe is too large for its NTK. */
export function openInstrument(options: InstrumentOptions): Promise<ControlInstrument> {
  return options.kind === "sharpness" ? openSharpness(options) : openKernel(options);
}

async function openKernel(options: InstrumentOptions): Promise<ControlInstrument> {
  const { model, loss, dataset, sgd, optimizer, random, threads, probeExamples } = options;
  if (samplesFor(probeExamples, model.outputs) !== null) {
    throw new BadInput(
      `control.examples: expected a probe of at most 4096 rows, got ${probeExamples} examples of ${model.outputs} outputs.`,
    );
  }
  const chosen = minibatchStream({
    examples: dataset.train.examples,
    batchSize: probeExamples,
    sampling: "without-replacement",
    random,
  }).next(1);
  const { inputs } = takeExamples(dataset.train, chosen);
  const estimator = await openNtk(model, { threads });
  return {
    async measure({ step, params, carried, learningRate, batchSize }) {
      const current = currentOptimizer(optimizer, learningRate, step, carried);
      if (current === null) return null;
      const { preconditioner, learningRate: rate, momentum, nesterov, weightDecay } = optimizerDynamics(current);
      const ntk = await estimator.measure(params, inputs, { preconditioner: preconditioner ?? undefined });
      const own = { ...sgd, batchSize, momentum, nesterov, weightDecay };
      const { exact, deterministicRatio } = estimateNoiseKernel(ntk, loss, own, { learningRate: rate });
      return {
        ...{ step, learningRate, batchSize, noiseKernel: exact.value, noiseKernelError: exact.standardError },
        deterministic: deterministicRatio,
      };
    },
    close: () => estimator.dispose(),
  };
}

async function openSharpness(options: InstrumentOptions): Promise<ControlInstrument> {
  const probe = await sharpnessProbe({ tolerance: 1e-2 }).open({ ...options, memory: undefined });
  return {
    async measure(view) {
      const { step, learningRate, batchSize } = view;
      const { "edge/deterministic": deterministic = NaN } = await probe.observe(view);
      return { step, learningRate, batchSize, noiseKernel: NaN, noiseKernelError: NaN, deterministic };
    },
    close: () => probe.close(),
  };
}
