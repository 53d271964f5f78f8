import type { RunStatus } from "../run/events.js";
import type { AdviceInput } from "./advice.js";

/** What of a run's config advice needs. */
export interface AdvisedConfig {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly momentum?: number;
  readonly data: { readonly examples: number };
  readonly probes: { readonly examples: number };
}

/** From a stored run: its settings as last recorded, and what was last measured, by metric path. */
export function adviceInputOf(
  config: AdvisedConfig,
  { status, step }: { readonly status: RunStatus; readonly step: number },
  latest: Readonly<Record<string, number>>,
): AdviceInput {
  const of = (key: string) => latest[key] ?? NaN;
  const ratio = of("edge/deterministic");
  return {
    ...{ status, step },
    learningRate: latest["learningRate"] ?? config.learningRate,
    batchSize: latest["batchSize"] ?? config.batchSize,
    population: config.data.examples,
    kernel: { value: of("noiseKernel/exact"), standardError: of("noiseKernel/exact/standardError") },
    // The solver's residual bounds how far the nearest eigenvalue is.
    deterministic: { value: ratio, standardError: (ratio * of("sharpness/ritzResidual")) / of("sharpness") },
    probe: config.probes.examples,
  };
}
