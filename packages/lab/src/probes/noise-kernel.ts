import { estimateNoiseKernel } from "../curvature/noise-kernel.js";
import { openNtk } from "../curvature/ntk/ntk.js";
import { takeExamples } from "../data/dataset.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import type { Probe, ProbeMemory } from "./probe.js";

export interface NoiseKernelProbeOptions {
  /**
   * n, training examples on which K is measured, drawn once at the start. The NTK has (n·C)² entries: 640 × 640 for 64
   * examples of 10 outputs. Default 64.
   */
  readonly examples?: number;
}

/**
 * Records K of the run's own η, B and sampling: `noiseKernel/exact` with `noiseKernel/exact/standardError` and
 * `noiseKernel/exact/halfProbe`, and the approximations `noiseKernel/diagonal`, `noiseKernel/highDim` and `noiseKernel/trace`.
 */
export function noiseKernelProbe({ examples = 64 }: NoiseKernelProbeOptions = {}): Probe {
  return {
    name: "noiseKernel",
    async open({ model, loss, dataset: { train }, sgd, random, threads, memory }) {
      const chosen = minibatchStream({
        examples: train.examples,
        batchSize: examples,
        sampling: "without-replacement",
        random: random.fork("examples"),
      }).next(1);
      const probeBatch = takeExamples(train, chosen);
      const estimator = await openNtk(model, { threads });
      let start = memory?.["perron"];
      return {
        get memory(): ProbeMemory {
          return start ? { perron: start } : {};
        },
        async observe({ params, learningRate }) {
          const ntk = await estimator.measure(params, probeBatch.inputs);
          const estimate = estimateNoiseKernel(ntk, loss, sgd, { learningRate, start });
          const { exact, diagonal, highDim, trace } = estimate;
          start = estimate.perron;
          return {
            "noiseKernel/exact": exact.value,
            "noiseKernel/exact/standardError": exact.standardError,
            "noiseKernel/exact/halfProbe": exact.halfProbe,
            "noiseKernel/diagonal": diagonal.value,
            "noiseKernel/highDim": highDim.value,
            "noiseKernel/trace": trace.value,
          };
        },
        close: () => estimator.dispose(),
      };
    },
  };
}
