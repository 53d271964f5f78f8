import type { Split } from "../data/dataset.js";

/** The first and the last ⌊n/2⌋ examples, in the split's own memory; none of a single example. */
export function halvesOf({ examples, inputs, targets }: Split): Split[] {
  const count = Math.floor(examples / 2);
  if (count === 0) return [];
  const [width, outputs] = [inputs.length / examples, targets.length / examples];
  return [0, examples - count].map((first) => ({
    examples: count,
    inputs: inputs.subarray(first * width, (first + count) * width),
    targets: targets.subarray(first * outputs, (first + count) * outputs),
  }));
}

/** The first `count` examples, in the split's own memory. */
export function firstOf({ examples, inputs, targets }: Split, count: number): Split {
  return {
    examples: count,
    inputs: inputs.subarray(0, (count * inputs.length) / examples),
    targets: targets.subarray(0, (count * targets.length) / examples),
  };
}
