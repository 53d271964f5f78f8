import { simulateLinearSgd, type LinearSystem, type SgdSettings } from "@sedge/theory";
import { breathe } from "./figure.js";
import { mean, quantile, standardErrorOfMean } from "./numbers.js";

/** Statistics over seeds of the loss, at each recorded step. `Infinity` where a seed overflowed. */
export interface CourseOverSeeds {
  readonly meanLoss: readonly number[];
  readonly standardError: readonly number[];
  readonly medianLoss: readonly number[];
}

/** Seed-steps between two looks at the event loop: a tenth of a second or two. */
const sliceSteps = 200_000;

/**
 * Linear SGD for many seeds, in slices so that Ctrl-C and progress get through. A seed draws the same in any slice, and the
 * same whatever the settings: neighbouring settings share their luck, so what differs between them is theirs.
 *
 * @throws the signal's reason when aborted
 */
export async function courseOverSeeds(
  system: LinearSystem,
  residual: Float64Array,
  settings: Omit<SgdSettings, "population">,
  options: {
    readonly steps: number;
    readonly seeds: number;
    readonly recordAt: readonly number[];
    readonly seed: string;
  },
  signal: AbortSignal | undefined,
): Promise<CourseOverSeeds> {
  const { steps, seeds, recordAt, seed } = options;
  const losses: Float64Array[] = [];
  const slice = Math.max(1, Math.floor(sliceSteps / steps));
  for (let first = 0; first < seeds; first += slice) {
    await breathe(signal);
    const count = Math.min(slice, seeds - first);
    const { losses: recorded } = simulateLinearSgd(system, residual, settings, {
      ...{ steps, seed, firstSeed: first, seeds: count, recordAt },
    });
    for (let s = 0; s < count; s++) losses.push(recorded.slice(s * recordAt.length, (s + 1) * recordAt.length));
  }
  await breathe(signal);
  const at = (statistic: (values: number[]) => number) =>
    recordAt.map((_, k) => statistic(losses.map((run) => run[k]!)));
  return {
    meanLoss: at(mean),
    standardError: at(standardErrorOfMean),
    medianLoss: at((values) => quantile(values, 0.5)),
  };
}

/** The largest distance of the means from what is expected, in standard errors, and over how many points; step 0 is no evidence. */
export function worstDeviation(
  { meanLoss, standardError }: CourseOverSeeds,
  expected: readonly number[],
): { readonly worst: number; readonly points: number } {
  const deviations = expected.slice(1).map((loss, i) => Math.abs(meanLoss[i + 1]! - loss) / standardError[i + 1]!);
  return { worst: Math.max(...deviations), points: deviations.length };
}
