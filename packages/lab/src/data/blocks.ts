import type { Split } from "./dataset.js";

/** Consecutive examples of a split, in its own memory, with their share of the whole: the weights add up to 1. */
export interface Block extends Split {
  readonly weight: number;
}

/**
 * Cuts a split into as few and as equal blocks of at most `most` examples as possible. A mean over the whole is then
 * the weighted sum of the blocks' means, and memory is bounded by one block.
 */
export function blocksOf(split: Split, most: number): Block[] {
  const count = Math.ceil(split.examples / most);
  const inputSize = split.inputs.length / split.examples;
  const outputs = split.targets.length / split.examples;
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * split.examples) / count);
    const end = Math.floor(((i + 1) * split.examples) / count);
    return {
      examples: end - start,
      inputs: split.inputs.subarray(start * inputSize, end * inputSize),
      targets: split.targets.subarray(start * outputs, end * outputs),
      weight: (end - start) / split.examples,
    };
  });
}
