import type { Random } from "@sedge/linalg";
import { BadInput } from "../../errors.js";
import type { LossLike } from "../../objectives/loss-graph.js";

/** A kernel larger than this takes the eigensolver minutes. */
const LARGEST_KERNEL = 4096;

/** S for a probe of n examples with C outputs each, or null where all have room; half of the room, where they have not. */
export function samplesFor(examples: number, outputs: number, most = LARGEST_KERNEL): number | null {
  const size = Math.min(most, LARGEST_KERNEL);
  return examples * outputs <= size ? null : Math.max(1, Math.floor(size / 2 / examples));
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
 * S random directions r for each example with E[Σ_s r rᵀ] = H_i, [S, n, C]: of a squared loss random signs, of a
 * cross-entropy p − e_y with the label y drawn from the softmax p, an unbiased factor of rank one.
 *
 * @throws BadInput for a loss given as a graph.
 */
export function sampledDirections({ loss, output, outputs, classes, samples, random }: SampleOptions): Float32Array {
  const examples = output.length / outputs;
  const directions = new Float32Array(samples * examples * outputs);
  if (typeof loss !== "string") {
    throw new BadInput(
      "noiseKernel: sampledOutputs: expected a squared or cross-entropy loss, got a graph: nothing is known to draw from.",
    );
  }
  for (let s = 0; s < samples; s++) {
    for (let row = 0; row < (examples * outputs) / classes; row++) {
      const to = directions.subarray(
        s * examples * outputs + row * classes,
        s * examples * outputs + (row + 1) * classes,
      );
      const from = Array.from({ length: classes }, (_, c) => output[row * classes + c]!);
      if (loss === "cross-entropy") drawLabel(to, from, 1 / Math.sqrt(samples * (outputs / classes)), random);
      else drawSigns(to, Math.sqrt((loss === "mean-squared" ? 2 / outputs : 1) / samples), random);
    }
  }
  return directions;
}

function drawSigns(to: Float32Array, scale: number, random: Random): void {
  for (let c = 0; c < to.length; c++) to[c] = random.uniform() < 0.5 ? scale : -scale;
}

/** scale·(p − e_y), y ~ p = softmax(logits). */
function drawLabel(to: Float32Array, logits: readonly number[], scale: number, random: Random): void {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  let left = random.uniform() * total;
  let label = powers.length - 1;
  for (let c = 0; c < powers.length; c++) {
    left -= powers[c]!;
    if (left < 0) {
      label = c;
      break;
    }
  }
  powers.forEach((power, c) => (to[c] = scale * (power / total - Number(c === label))));
}
