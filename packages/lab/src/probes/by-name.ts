import type { TrainConfig } from "../config/train-config.js";
import { batchSharpnessProbe } from "./batch-sharpness.js";
import { distanceProbe } from "./distance.js";
import { gradientNoiseScaleProbe } from "./gradient-noise-scale.js";
import { gradientProbe } from "./gradient.js";
import { lossProbe } from "./loss.js";
import { noiseKernelProbe } from "./noise-kernel.js";
import { oneStepProbe } from "./one-step.js";
import type { Probe } from "./probe.js";
import { defaultProbeNames, type ProbeName } from "./names.js";
import { sharpnessProbe } from "./sharpness.js";
import { spectrumProbe } from "./spectrum.js";
import { traceProbe } from "./trace.js";

const makers: Readonly<Record<ProbeName, (config: TrainConfig) => Probe>> = {
  loss: lossProbe,
  sharpness: () => sharpnessProbe(),
  noiseKernel: ({ probes }) => noiseKernelProbe({ examples: probes.examples }),
  gradient: gradientProbe,
  distance: distanceProbe,
  batchSharpness: batchSharpnessProbe,
  gradientNoiseScale: gradientNoiseScaleProbe,
  oneStep: oneStepProbe,
  trace: traceProbe,
  spectrum: spectrumProbe,
};

/** The probes that a config asks for, each once, in the order of `probeNames`: what one finds may serve those after it. */
export function probesOf(config: TrainConfig): Probe[] {
  const wanted = new Set<string>(config.probes.measure ?? defaultProbeNames);
  return Object.entries(makers).flatMap(([name, make]) => (wanted.has(name) ? [make(config)] : []));
}
