import type { Random } from "@sedge/linalg";
import { BadInput } from "../../errors.js";
import type { LossLike } from "../../objectives/loss-graph.js";
import { outputHessianRoots } from "../../objectives/objective.js";
import type { DifferentiableModel } from "../ntk/tapped-model.js";
import { measurementWork } from "../ntk/work.js";

/** A kernel larger than this takes the eigensolver minutes. */
const LARGEST_KERNEL = 4096;

/** S for a probe of n examples with C outputs each, or null where all have room; half of the room, where they have not. */
export function samplesFor(examples: number, outputs: number, most = LARGEST_KERNEL): number | null {
  const size = Math.min(most, LARGEST_KERNEL);
  return examples * outputs <= size ? null : Math.max(1, Math.floor(size / 2 / examples));
}

/** How many outputs there is room and time for. */
export interface SampleLimits {
  /** Rows of a kernel. Default 4096. */
  readonly rows?: number;
  /** Multiply-adds. Default: no limit. */
  readonly work?: number;
}

/**
 * S for a probe of n examples, or null where all outputs are within the limits. Where they are not, as many as are within
 * half of the limit on rows and the limit on work, two at least: with one there is nothing to tell their error from.
 */
export function samplesWithin(
  model: DifferentiableModel,
  examples: number,
  sizes: Readonly<Record<string, readonly number[]>>,
  { rows = LARGEST_KERNEL, work = Infinity }: SampleLimits = {},
): number | null {
  const { outputs } = model;
  const room = samplesFor(examples, outputs, rows);
  const workOf = measurementWork(model, sizes);
  if (room === null && (work === Infinity || workOf(examples, outputs) <= work)) return null;
  let samples = Math.max(2, room ?? outputs - 1);
  while (samples > 2 && work < Infinity && workOf(examples, samples) > work) samples--;
  return samples;
}

export interface SampleOptions {
  readonly loss: LossLike;
  /** f, [n, C] row-major. */
  readonly output: ArrayLike<number>;
  /** C. */
  readonly outputs: number;
  /** The last axis of the output: classes, where outputs are those of several tokens. */
  readonly classes: number;
  /** S. */
  readonly samples: number;
  readonly random: Random;
}

/**
 * S random directions r for each example with E[Σ_s r rᵀ] = H_i, [S, n, C]: r = H_i^{1/2} ξ/√S with ξ of random signs. Unlike
 * draws p − e_y of a label they all have the same length, √(tr H_i/S), so that an example of which the model is sure is not
 * seen by luck alone.
 *
 * @throws BadInput for a loss given as a graph.
 */
export function sampledDirections({ loss, output, outputs, classes, samples, random }: SampleOptions): Float32Array {
  if (typeof loss !== "string") {
    throw new BadInput(
      "noiseKernel: sampledOutputs: expected a squared or cross-entropy loss, got a graph: nothing is known to draw from.",
    );
  }
  const examples = output.length / outputs;
  const rows = output.length / classes;
  const directions = new Float32Array(samples * examples * outputs);
  const roots = loss === "cross-entropy" ? outputHessianRoots(loss, output, classes) : null;
  // Of several tokens the loss is a mean, and of a mean-squared one H = 2/C.
  const curvature = loss === "cross-entropy" ? classes / outputs : loss === "mean-squared" ? 2 / outputs : 1;
  const scale = Math.sqrt(curvature / samples);
  const signs = new Float64Array(classes);
  for (let s = 0; s < samples; s++) {
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < classes; c++) signs[c] = random.uniform() < 0.5 ? scale : -scale;
      const start = (s * rows + row) * classes;
      for (let c = 0; c < classes; c++) {
        if (roots === null) directions[start + c] = signs[c]!;
        else directions[start + c] = product(roots, (row * classes + c) * classes, signs);
      }
    }
  }
  return directions;
}

function product(matrix: Float64Array, start: number, x: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += matrix[start + k]! * x[k]!;
  return sum;
}
