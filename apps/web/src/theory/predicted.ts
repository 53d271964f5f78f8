import { volterraLoss, type LinearSystem } from "@sedge/theory";
import type { RunRecord, RunSummary, SeriesData } from "../api/types.js";
import { lowerBound, type Series } from "../data/series.js";
import { probeSpectrum, recordsOf, type ProbeSpectrum } from "../run/record-data.js";
import { descentOf } from "./descent.js";
import { samplingOf } from "./probed.js";

/** The equation takes time as the square of the steps: so many take some 0.1 s. */
const mostSteps = 3000;
/**
 * A probe of n of N examples has n·C modes and lacks the slowest of the N·C: once what its modes hold has decayed, its loss falls
 * far below that of the training set. The curve ends where so much of the loss is left.
 */
const representative = 0.5;
/** Before this share of the run so far, a network changes too fast for its linearisation to say much. */
const earliestShare = 0.05;

export interface PredictedLoss {
  /** Where the run is linearised. */
  readonly step: number;
  readonly series: SeriesData;
}

/**
 * The loss that SGD on the run's linearisation would have on average from a probe on: theory's Volterra equation with the probe's
 * spectrum and residual, scaled to the training loss measured there (the probe is a sample of the training set).
 *
 * Null where that means nothing: another loss than the squared, a preconditioner, a learning rate that changes, no probe
 * that recorded its residual, or a prediction that is not finite.
 *
 * @param at  Linearise at the last probe at or before this step; infinite: at the first one after a twentieth of the run.
 * @param loss  The training loss as measured.
 */
export function predictedLoss(
  run: RunSummary,
  records: readonly RunRecord[],
  loss: Series | undefined,
  at: number,
): PredictedLoss | null {
  const { learningRate = NaN, batchSize = NaN, data } = run.config;
  const descent = descentOf(run.config);
  if (descent === null || run.config["loss"] !== "squared" || loss === undefined || isSteered(run)) return null;
  const spectra = recordsOf(records, "spectrum/ntk", probeSpectrum).filter(({ residuals }) => residuals !== null);
  const from =
    at === Infinity
      ? (spectra.find(({ step }) => step >= earliestShare * run.step && step < run.step) ?? spectra[0])
      : (spectra.findLast(({ step }) => step <= at) ?? spectra[0]);
  const measured = from === undefined ? -1 : loss.steps.indexOf(from.step);
  const population = data?.examples ?? NaN;
  if (from === undefined || measured < 0 || !(population >= from.examples)) return null;
  const system = systemOf(from);
  const count = Math.min(mostSteps, Math.max(run.step, run.steps) - from.step);
  if (system === null || !(count >= 1)) return null;
  const settings = { learningRate, batchSize, ...descent, sampling: samplingOf(run), population };
  let losses: Float64Array;
  try {
    losses = volterraLoss(system, residualOf(from), settings, count);
  } catch {
    return null; // settings that theory does not cover
  }
  const scale = loss.values[measured]! / losses[0]!;
  if (!(scale > 0) || scale === Infinity) return null;
  const end = from.examples < population ? losses.findIndex((x) => x < representative * losses[0]!) : -1;
  const shown = end < 0 ? losses : losses.subarray(0, end + 1);
  const steps = Array.from(shown, (_, i) => from.step + i);
  return {
    step: from.step,
    series: { steps, times: steps.map((step) => timeAt(loss, step)), values: Array.from(shown, (x) => x * scale) },
  };
}

/** Whether a controller or a schedule moves the learning rate. */
function isSteered({ config }: RunSummary): boolean {
  const kindOf = (key: string) => (config[key] as { readonly kind?: string } | undefined)?.kind;
  return (kindOf("control") ?? "none") !== "none" || (kindOf("schedule") ?? "constant") !== "constant";
}

/** A system with the probe's spectrum, in the basis of its modes. */
function systemOf({ eigenvalues, examples }: ProbeSpectrum): LinearSystem | null {
  const size = eigenvalues.length;
  if (!Number.isInteger(examples) || examples < 1 || size % examples !== 0) return null;
  const spectrum = Float64Array.from(eigenvalues, (value) => Math.max(0, value));
  if (!spectrum.every(Number.isFinite)) return null;
  const rank = spectrum.filter((value) => value > 0).length;
  const modes = new Float64Array(size * rank);
  for (let k = 0; k < rank; k++) modes[(size - rank + k) * rank + k] = 1;
  return {
    ...{ examples, outputs: size / examples, size, spectrum, rank, modes },
    lambdaMax: spectrum.at(-1) ?? 0,
    trace: spectrum.reduce((sum, value) => sum + value, 0),
    eigenvalues: spectrum.slice(size - rank),
  };
}

/** The residual in the basis of the modes. What the record says of the loss beyond them lies in a mode that never moves. */
function residualOf({ residuals, loss, examples, eigenvalues }: ProbeSpectrum): Float64Array {
  const residual = Float64Array.from(residuals!, (square) => Math.sqrt(Math.max(0, square)));
  const missing = 2 * examples * loss - residuals!.reduce((sum, square) => sum + square, 0);
  const still = eigenvalues.findIndex((value) => value <= 0);
  if (still >= 0 && missing > 0) residual[still] = Math.hypot(residual[still]!, Math.sqrt(missing));
  return residual;
}

/** When a step was made, between the measurements around it; NaN beyond them. */
function timeAt({ steps, times }: Series, step: number): number {
  const above = lowerBound(steps, step);
  if (steps[above] === step) return times[above]!;
  if (above === 0 || above === steps.length) return NaN;
  const share = (step - steps[above - 1]!) / (steps[above]! - steps[above - 1]!);
  return times[above - 1]! + share * (times[above]! - times[above - 1]!);
}
