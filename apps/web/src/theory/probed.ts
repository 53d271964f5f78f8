import type { RunRecord, RunSummary } from "../api/types.js";
import { lowerBound, type Series } from "../data/series.js";
import { probeSpectrum, recordsOf } from "../run/record-data.js";
import type { Probed } from "./critical.js";
import { descentOf } from "./descent.js";

const samplings = ["with-replacement", "without-replacement", "bernoulli"] as const;

/** How the run drew its batches, as theory takes it: an epoch's shuffle counts as drawing without replacement. */
export const samplingOf = ({ config }: Pick<RunSummary, "config">) =>
  samplings.find((name) => name === config["sampling"]) ?? "without-replacement";

/** The value at a step, the last written at or before it. */
function inForce(series: Series | undefined, step: number): number | undefined {
  if (series === undefined) return undefined;
  const after = lowerBound(series.steps, step);
  return series.steps[after] === step ? series.values[after] : series.values[after - 1];
}

/**
 * A run's first or last probe as theory wants it: a spectrum, K exact at the same step, the settings. Null where the run
 * has none, where K was infinite at all of them, and for an optimiser with a preconditioner.
 *
 * @param used  η and B as the run used them, where a controller or a schedule moved them. Default: those of its config.
 */
export function probedOf(
  run: RunSummary,
  records: readonly RunRecord[],
  kernel: Series | undefined,
  which: "first" | "last",
  used: { readonly learningRate?: Series | undefined; readonly batchSize?: Series | undefined } = {},
): (Probed & { readonly step: number }) | null {
  const { learningRate = NaN, batchSize = NaN, data } = run.config;
  const descent = descentOf(run.config);
  if (descent === null) return null;
  const spectra = recordsOf(records, "spectrum/ntk", probeSpectrum);
  if (which === "last") spectra.reverse();
  for (const spectrum of spectra) {
    const at = kernel?.steps.indexOf(spectrum.step) ?? -1;
    const noiseKernel = at < 0 ? NaN : kernel!.values[at]!;
    if (!Number.isFinite(noiseKernel)) continue;
    return {
      spectrum,
      step: spectrum.step,
      learningRate: inForce(used.learningRate, spectrum.step) ?? learningRate,
      batchSize: inForce(used.batchSize, spectrum.step) ?? batchSize,
      descent,
      population: data?.examples ?? NaN,
      sampling: samplingOf(run),
      noiseKernel,
    };
  }
  return null;
}
