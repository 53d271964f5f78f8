import type { ProbeNoiseKernel } from "@sedge/theory";
import { outputOf } from "../curvature/attribution/directions.js";
import { openLayerShares, rootDirections } from "../curvature/attribution/layer-shares.js";
import { sampledDirections, samplesWithin } from "../curvature/attribution/sampled-directions.js";
import { sampledNoiseKernel } from "../curvature/attribution/sampled-kernel.js";
import { estimateNoiseKernel } from "../curvature/noise-kernel.js";
import { openNtk } from "../curvature/ntk/ntk.js";
import { currentOptimizer, optimizerDynamics } from "../curvature/optimizer-dynamics.js";
import { openPreconditionedDecay } from "../curvature/preconditioned-decay.js";
import { takeExamples } from "../data/dataset.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import { outputHessianRoots } from "../objectives/objective.js";
import { attributionRecord, examplesRecord, ntkSpectrumRecord } from "./kernel-records.js";
import type { Probe, ProbeMemory } from "./probe.js";

export interface NoiseKernelProbeOptions {
  /**
   * n, training examples on which K is measured, drawn once at the start. The NTK has (n·C)² entries: 640 × 640 for 64
   * examples of 10 outputs. With more than 4096 rows, random directions stand for the outputs. Default 64.
   */
  readonly examples?: number;
  /**
   * Multiply-adds of one measurement above which random directions stand for the outputs. Default 3e11: some ten seconds of
   * a core. A ResNet-18 on 64 images of CIFAR-10 takes 1.3e12 with all ten outputs, 0.3e12 with two directions.
   */
  readonly mostWork?: number;
}

const keys = ["exact", "exact/standardError", "exact/halfProbe", "diagonal", "highDim", "trace"] as const;

/** Nothing measured: weights that are not finite, an adaptive optimiser before its first update. */
const nothing = Object.fromEntries(keys.map((key) => [`noiseKernel/${key}`, NaN]));

/**
 * Measures K of the run's own η, B, sampling and optimiser, with its current preconditioner, by whose mean an L2 decay of Adam or
 * RMSProp is divided: `noiseKernel/exact` with
 * `noiseKernel/exact/standardError` and `noiseKernel/exact/halfProbe`, and the approximations `noiseKernel/diagonal`,
 * `noiseKernel/highDim` and `noiseKernel/trace`. Records the spectrum of the probe's NTK, and which layers and which examples make K:
 * kinds `spectrum/ntk`, `attribution` and `examples`.
 */
export function noiseKernelProbe({ examples = 64, mostWork = 3e11 }: NoiseKernelProbeOptions = {}): Probe {
  return {
    name: "noiseKernel",
    async open({ model, loss, dataset, sgd, optimizer, random, threads, memory }) {
      const { train } = dataset;
      const chosen = minibatchStream({
        examples: train.examples,
        batchSize: examples,
        sampling: "without-replacement",
        random: random.fork("examples"),
      }).next(1);
      const { inputs, targets } = takeExamples(train, chosen);
      const estimator = await openNtk(model, { threads });
      const shares = await openLayerShares(model, { threads });
      const { x } = model.graph.inputs;
      const samples = samplesWithin(model, examples, { x: x!.shape.slice(1).map(Number) }, { work: mostWork });
      const isDecayDivided = optimizer.weightDecay > 0 && (optimizer.kind === "adam" || optimizer.kind === "rmsprop");
      const decay = isDecayDivided ? await openPreconditionedDecay(model, { threads }) : undefined;
      let start = memory?.["perron"];
      return {
        get memory(): ProbeMemory {
          return start ? { perron: start } : {};
        },
        async observe({ step, params, carried, learningRate, batchSize = sgd.batchSize, signal, record }) {
          const current = currentOptimizer(optimizer, learningRate, step, carried);
          if (current === null || !areFinite(params)) return nothing;
          const { preconditioner, learningRate: rate, momentum, nesterov, ...rest } = optimizerDynamics(current);
          const weightDecay =
            (await decay?.mean(optimizer.weightDecay, params, inputs, preconditioner!)) ?? rest.weightDecay;
          const own = { ...sgd, batchSize, momentum, nesterov, weightDecay };
          const options = { preconditioner: preconditioner ?? undefined, signal };
          const { outputs } = model;

          const explain = async (kernel: ProbeNoiseKernel, output: Float32Array, directions: Float32Array) => {
            if (!record) return;
            const hasResidual = loss === "squared" && preconditioner === null && samples === null;
            const residual = hasResidual ? output.map((f, i) => f - targets[i]!) : undefined;
            record(ntkSpectrumRecord(kernel, weightDecay, residual));
            const layers = await shares.measure({ params, inputs, directions, kernel, ...options });
            record(attributionRecord(kernel, { examples, outputs, sampledOutputs: samples }, layers));
            const found = examplesRecord(kernel, dataset, chosen, output);
            if (found) record(found);
          };

          if (samples === null) {
            const ntk = await estimator.measure(params, inputs, options);
            const estimate = estimateNoiseKernel(ntk, loss, own, { learningRate: rate, start, interval: false });
            start = estimate.perron;
            const roots = outputHessianRoots(loss, ntk.output, outputs);
            await explain(estimate, ntk.output, rootDirections(roots, examples, outputs));
            return metrics(estimate);
          }
          const output = (await outputOf(model, params, inputs, threads)).data as Float32Array;
          const drawn = { loss, output, outputs, classes: outputs, samples, random: random.fork(`directions/${step}`) };
          const directions = sampledDirections(drawn);
          const { matrix } = await estimator.measure(params, inputs, { ...options, directions });
          const { examples: population, ...settings } = own;
          const estimate = sampledNoiseKernel(
            { matrix, examples, samples, outputs },
            { ...settings, learningRate: rate, population },
            { tolerance: 1e-5, interval: false },
          );
          await explain(estimate, output, directions);
          return metrics(estimate);
        },
        async close() {
          await Promise.all([estimator.dispose(), shares.dispose(), decay?.dispose()]);
        },
      };
    },
  };
}

const metrics = ({
  exact,
  diagonal,
  highDim,
  trace,
}: Pick<ProbeNoiseKernel, "exact" | "diagonal" | "highDim" | "trace">): Record<string, number> => ({
  "noiseKernel/exact": exact.value,
  "noiseKernel/exact/standardError": exact.standardError,
  "noiseKernel/exact/halfProbe": exact.halfProbe,
  "noiseKernel/diagonal": diagonal.value,
  "noiseKernel/highDim": highDim.value,
  "noiseKernel/trace": trace.value,
});

const areFinite = (params: Readonly<Record<string, Float32Array>>): boolean =>
  Object.values(params).every((values) => values.every(Number.isFinite));
