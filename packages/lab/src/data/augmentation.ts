import { tensor, type BatchPreparation, type Builder, type Tensor, type Value } from "@sedge/autodiff";
import type { Random } from "@sedge/linalg";
import { BadInput } from "../errors.js";

export interface AugmentationOptions {
  /** Height, width and channels of an input, whatever shape the model reads it in. */
  readonly inputShape: readonly number[];
  /** p, most pixels of a shift in either direction; zeros come in, which in standardised images are the mean. Default 0. */
  readonly crop?: number;
  /** Whether an image is mirrored left to right with probability ½. Default false. */
  readonly flip?: boolean;
  /** Draws of step t come from its fork t: what is drawn does not depend on where a run was cut or resumed. */
  readonly random: Random;
}

/** Changes training images inside the graph, anew at every step. */
export interface Augmentation {
  readonly preparation: BatchPreparation;
  /** What the preparation needs for the steps from `start` on. @param lead  [steps, B], or [steps, parts, B/parts]. */
  draws(start: number, steps: number, lead: readonly number[]): Readonly<Record<string, Tensor>>;
}

const window = "augmentation";

/**
 * The crop of standard CIFAR training: an image with p zeros around it, of which a random window of its own size is
 * taken, then mirrored or not.
 *
 * All of it is one Gather of pixels: pixel (r, c) of the result is pixel `offset + r·W' + sign·c` of the padded image of
 * width W', with one offset and sign an image, drawn outside.
 *
 * @throws BadInput if the inputs are no images.
 */
export function augmentation({ inputShape, crop = 0, flip = false, random }: AugmentationOptions): Augmentation {
  if (inputShape.length !== 3) {
    throw new BadInput(`data.augment: expected images of height, width and channels, got [${inputShape.join(", ")}].`);
  }
  const [height, width, channels] = inputShape as unknown as readonly [number, number, number];
  const [rows, columns] = [height + 2 * crop, width + 2 * crop];

  function apply(b: Builder, batch: Readonly<Record<string, Value>>, drawn: Readonly<Record<string, Value>>) {
    const x = batch["x"]!;
    const size = x.shape[0]!;
    const image = b.reshape(x, [size, height, width, channels]);
    const pads = b.integers([0, crop, crop, 0, 0, crop, crop, 0]);
    const padded = crop === 0 ? image : b.node("Pad", [image, pads]);
    const pixels = b.reshape(padded, [-1, channels]);
    const [offset, sign] = b.splitSizes(drawn[window]!, [1, 1], 1).map((part) => b.unsqueeze(part, [2])) as [
      Value,
      Value,
    ];
    const range = (length: number) => b.integers(Array.from({ length }, (_, i) => i));
    const index = b.node("Range", [
      b.constant(0, { type: "int64" }),
      b.squeeze(b.dimension(size), [0]),
      b.constant(1, { type: "int64" }),
    ]);
    const first = b.add(b.mul(b.reshape(index, [-1, 1, 1]), rows * columns), offset);
    const along = b.mul(b.reshape(range(height), [1, height, 1]), columns);
    const across = b.mul(b.reshape(range(width), [1, 1, width]), sign);
    const places = b.add(b.add(first, along), across);
    return { ...batch, x: b.reshape(b.gather(pixels, places), x.shape) };
  }

  return {
    preparation: { draws: { [window]: { type: "int64", shape: [2] } }, apply },
    draws(start, steps, lead) {
      const batch = lead.reduce((product, size) => product * size, 1) / steps; // a controller may have changed B
      const values = new Int32Array(steps * batch * 2);
      for (let t = 0, at = 0; t < steps; t++) {
        const own = random.fork(start + t);
        for (let i = 0; i < batch; i++) {
          const top = own.integer(2 * crop + 1);
          const left = own.integer(2 * crop + 1);
          const mirrored = flip && own.integer(2) === 1;
          values[at++] = top * columns + left + (mirrored ? width - 1 : 0);
          values[at++] = mirrored ? -1 : 1;
        }
      }
      return { [window]: tensor(values, [...lead, 2], "int64") };
    },
  };
}
