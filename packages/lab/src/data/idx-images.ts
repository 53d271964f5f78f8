import { statSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "../errors.js";
import { oneHot, type Split } from "./dataset.js";
import { readIdx } from "./idx.js";

/** Four IDX files named as MNIST's, of images of one size and labels 0 to 9. */
export interface IdxImages {
  readonly folder: string;
  readonly examples: number;
  readonly testExamples: number;
  /** Of a pixel over all training images, on the scale where white is 1. */
  readonly mean: number;
  readonly deviation: number;
}

const classes = 10;
const side = 28;

/** Training and test split of images standardised as (pixel/255 − mean)/deviation, with one-hot targets. */
export function readIdxImages(images: IdxImages): {
  readonly inputShape: readonly number[];
  readonly outputs: number;
  readonly train: Split;
  readonly test: Split;
} {
  const { folder, examples, testExamples } = images;
  requireCount("examples", examples, 60_000);
  requireCount("testExamples", testExamples, 10_000);
  if (!isFolder(folder)) throw new BadInput(`data.path: ${folder} is not a folder; it must hold the four IDX files.`);
  return {
    inputShape: [side, side, 1],
    outputs: classes,
    train: readSplit(images, "train", examples),
    test: readSplit(images, "t10k", testExamples),
  };
}

function readSplit({ folder, mean, deviation }: IdxImages, prefix: string, examples: number): Split {
  const imagesPath = join(folder, `${prefix}-images-idx3-ubyte`);
  const labelsPath = join(folder, `${prefix}-labels-idx1-ubyte`);
  const labels = readIdx(labelsPath, { rank: 1 });
  const images = readIdx(imagesPath, { rank: 3, count: examples, entries: labels.shape[0]! });
  if (images.shape[1] !== side || images.shape[2] !== side) {
    throw new BadInput(
      `${imagesPath}: expected images of ${side} × ${side}, got ${images.shape[1]} × ${images.shape[2]}.`,
    );
  }
  const table = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean) / deviation);
  const inputs = new Float32Array(images.values.length);
  for (let i = 0; i < inputs.length; i++) inputs[i] = table[images.values[i]!]!;
  return { examples, inputs, targets: oneHot(labels.values.subarray(0, examples), classes, labelsPath) };
}

function requireCount(option: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new BadInput(`data.${option}: expected a whole number from 1 to ${most}, got ${value}.`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
