/** What a run can be asked to measure, as `probes.measure` in a config names it. */
export const probeNames = [
  "loss",
  "sharpness",
  "noiseKernel",
  "gradient",
  "distance",
  "batchSharpness",
  "gradientNoiseScale",
  "oneStep",
  "trace",
  "spectrum",
] as const;

export type ProbeName = (typeof probeNames)[number];

/** Measured unless a config says otherwise: the two edges, and what costs little beside them. */
export const defaultProbeNames: readonly ProbeName[] = ["loss", "sharpness", "noiseKernel", "gradient", "distance"];
