import { BadInput } from "../errors.js";

/** Examples in memory, in a fixed order. */
export interface Split {
  /** How many. */
  readonly examples: number;
  /** Row-major `[examples, ...inputShape]`. */
  readonly inputs: Float32Array;
  /** Row-major `[examples, outputs]`; one-hot for classification. */
  readonly targets: Float32Array;
}

/** What a run trains and is tested on. Every format ends up as one of these. */
export interface Dataset {
  readonly name: string;
  /** One line for people: which files, which examples, how scaled. */
  readonly description: string;
  /** Shape of one input, channels last: `[28, 28, 1]` for MNIST. A model that wants a flat vector reads it as one. */
  readonly inputShape: readonly number[];
  /** C, targets of each example. */
  readonly outputs: number;
  readonly train: Split;
  readonly test: Split;
}

/**
 * The examples at `indices`, copied, in that order.
 *
 * @throws BadInput if an index is not an example's.
 */
export function takeExamples(split: Split, indices: ArrayLike<number>): Split {
  const inputSize = split.inputs.length / split.examples;
  const outputs = split.targets.length / split.examples;
  const inputs = new Float32Array(indices.length * inputSize);
  const targets = new Float32Array(indices.length * outputs);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!Number.isInteger(index) || index < 0 || index >= split.examples) {
      throw new BadInput(`takeExamples: index ${index} is outside 0…${split.examples - 1}.`);
    }
    inputs.set(split.inputs.subarray(index * inputSize, (index + 1) * inputSize), i * inputSize);
    targets.set(split.targets.subarray(index * outputs, (index + 1) * outputs), i * outputs);
  }
  return { examples: indices.length, inputs, targets };
}

/**
 * One row of `classes` numbers for each label, 1 at the label and 0 elsewhere.
 *
 * @param source  Named in the error.
 * @throws BadInput if a label is no whole number from 0 to below `classes`.
 */
export function oneHot(labels: ArrayLike<number>, classes: number, source: string): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && label < classes && Number.isInteger(label)))
      throw new BadInput(`${source}: label ${i} is ${label}; allowed are 0…${classes - 1}.`);
    targets[i * classes + label] = 1;
  }
  return targets;
}
