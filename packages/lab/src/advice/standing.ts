import type { RunStatus } from "../run/events.js";
import type { AttributionRecordData, ExamplesRecordData } from "../run/records.js";
import type { AdviceInput } from "./advice.js";

/** What of a run's config advice needs. */
export interface AdvisedConfig {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly momentum?: number;
  readonly data: { readonly examples: number };
  readonly probes: { readonly examples: number };
}

/** Something recorded of a run: kinds as in run/records.ts. */
export interface RecordedDatum {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * From a stored run: its settings as last recorded, and what was last measured, by metric path.
 *
 * @param records  In order of time; of those of kind `attribution` and `examples` the newest count.
 */
export function adviceInputOf(
  config: AdvisedConfig,
  { status, step }: { readonly status: RunStatus; readonly step: number },
  latest: Readonly<Record<string, number>>,
  records: readonly RecordedDatum[] = [],
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
    ...responsibleOf(records),
  };
}

/** Which layers and examples the newest records of a run say make K. */
function responsibleOf(records: readonly RecordedDatum[]): Pick<AdviceInput, "layers" | "examples"> {
  const newest = (kind: string) => records.findLast((record) => record.kind === kind)?.data;
  const attribution = newest("attribution") as unknown as AttributionRecordData | undefined;
  const found = newest("examples") as unknown as ExamplesRecordData | undefined;
  return {
    layers: attribution?.layers.map(({ name, kind, perronShare, lambdaMaxShare }) => ({
      ...{ name, kind, perronShare, lambdaMaxShare },
    })),
    examples: found?.responsible.map(({ index, weight, label }) => ({
      ...{ index, weight, label: label === undefined ? null : String(label) },
    })),
  };
}
