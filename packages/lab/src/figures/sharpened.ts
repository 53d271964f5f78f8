import { earlySharpening, type EarlySharpening } from "./early-sharpening.js";
import type { FigureContext } from "./figure.js";
import {
  initialKernels,
  quadraticCourses,
  type InitialKernel,
  type QuadraticCourse,
  type QuadraticProblem,
} from "./quadratic-courses.js";

export const weightings = { flat: "V = 1", scaled: "V = σ" } as const;

/** All that is measured of one quadratic problem: whole courses at several batch sizes, and the first two steps. */
export interface Sharpened {
  readonly problem: QuadraticProblem;
  readonly courses: readonly QuadraticCourse[];
  readonly kernels: readonly InitialKernel[];
  readonly early: readonly EarlySharpening[];
}

/**
 * The closed form is of second order in Q. With a neighbour 0.6 % below λ_max the second difference is twice too large at a tenth
 * of the curvature, and agrees at a fiftieth (docs/theory/quadratic-model.md).
 */
export const earlyCurvature = 0.02;

/** How often `sharpen` calls `onSeed`, nothing being kept from before. */
export const sharpenedSeeds = ({ batchSizes, seeds }: Pick<QuadraticProblem, "batchSizes" | "seeds">): number =>
  (batchSizes.length + 1) * seeds;

/**
 * @param earlySizes  Batch sizes for the first two steps.
 * @param name  Names the random streams.
 */
export async function sharpen(
  problem: QuadraticProblem,
  earlySizes: readonly number[],
  name: string,
  context: Pick<FigureContext, "parts" | "signal">,
  onSeed: () => void,
): Promise<Sharpened> {
  const courses = await quadraticCourses(problem, name, context, onSeed);
  const gentle = { ...problem, curvature: earlyCurvature * problem.curvature };
  const early = await earlySharpening(gentle, earlySizes, name, context, onSeed);
  return { problem, courses, kernels: initialKernels(problem, name), early };
}
